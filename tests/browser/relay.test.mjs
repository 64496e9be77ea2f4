// Two real browsers' pages that may only talk through a TURN server, a real coturn, which they know, and
// are let in by, from hostd alone; and what coturn does with credentials that are not, or no longer, good.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { launchBrowser } from '../lib/browser.mjs';
import { startCoturn } from '../lib/coturn.mjs';
import { startServer } from '../lib/hostd.mjs';
import { call, openPage, servePages, transfer } from './pages.mjs';

const kSecret = 'known to hostd and coturn';
const kSize = 4 * 1024 * 1024;
const kUnauthorized = 401;

let pages;
let coturn;
let server;
let browser;
before(async () => {
  pages = await servePages();
  coturn = await startCoturn({ secret: kSecret });
  server = await startServer({
    'cors.origins': pages.origin,
    'turn.urls': coturn.urls.join(','),
    'turn.secret': kSecret,
  });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await coturn?.stop();
  await pages?.close();
});

test('two pages exchange data through the relay that hostd tells them of', async () => {
  const roomId = 'browsers-behind-walls';
  const [sender, receiver] = [await openPage(browser, pages), await openPage(browser, pages)];
  const names = [];
  for (const page of [sender, receiver]) {
    const { iceServers } = await call(page, 'iceServers', server.url);
    await call(page, 'relayThrough', iceServers);
    names.push(iceServers[0].username);
  }
  await call(sender, 'createRoom', server.url, roomId);
  await call(receiver, 'expectBytes', kSize);
  await call(sender, 'enter', server.url, roomId, { isSender: true });
  await call(receiver, 'enter', server.url, roomId, { isSender: false });
  await transfer(sender, receiver, kSize);
  await call(sender, 'expectBytes', kSize);
  await transfer(receiver, sender, kSize);
  for (const page of [sender, receiver]) {
    assert.deepEqual(await call(page, 'typesInUse'), ['relay', 'relay']);
  }
  for (const name of names) {
    assert.ok(coturn.log.includes(`user <${name}>: incoming packet ALLOCATE processed, success`));
  }
});

const now = () => Math.floor(Date.now() / 1000);
function credentials(expires, secret = kSecret) {
  const username = `${expires}:somebody`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

for (const [name, made, accepted] of [
  ['of the shared secret', () => credentials(now() + 60), true],
  ['that have expired', () => credentials(now() - 60), false],
  ['of another secret', () => credentials(now() + 60, 'known to nobody'), false],
  [
    'made to last longer',
    () => ({ ...credentials(now() - 60), username: `${now() + 60}:somebody` }),
    false,
  ],
]) {
  test(`credentials ${name} are ${accepted ? 'taken' : 'refused'} by coturn`, async () => {
    const page = await openPage(browser, pages);
    await call(page, 'relayThrough', [{ urls: [coturn.urls[0]], ...made() }]);
    assert.deepEqual(
      await call(page, 'gather'),
      accepted
        ? { candidates: ['relay'], errors: [] }
        : { candidates: [], errors: [kUnauthorized] },
    );
  });
}
