// Two real browsers' pages meet through hostd, open a DataChannel, move 64 MiB, and find each other
// again after one of them was reloaded; without TLS and, with fewer bytes, with it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser } from '../lib/browser.mjs';
import { startServer } from '../lib/hostd.mjs';
import { makeCertificate, publicKeyDigest, tlsOptions } from '../lib/tls.mjs';
import { call, openPage, servePages, transfer } from './pages.mjs';

const kSize = 64 * 1024 * 1024;
const kSizeWithTls = 4 * 1024 * 1024;
const kAgainSize = 1024 * 1024;

let pages;
let plain;
let secure;
let browser;
before(async () => {
  pages = await servePages();
  const certificate = makeCertificate();
  const options = { 'cors.origins': pages.origin };
  plain = await startServer({ ...options, 'tls.cert': null, 'tls.key': null });
  secure = await startServer({ ...options, ...tlsOptions(certificate) });
  browser = await launchBrowser({ trusted: [publicKeyDigest(certificate)] });
});
after(async () => {
  await browser?.close();
  await plain?.stop();
  await secure?.stop();
  await pages?.close();
});

test('two pages meet, move 64 MiB, and meet again after either was reloaded', () =>
  meetAgainAndAgain(plain, kSize));
test('so they do over TLS', () => meetAgainAndAgain(secure, kSizeWithTls));

async function meetAgainAndAgain(server, size) {
  const roomId = 'browsers-meet-here';
  const sender = await openPage(browser, pages);
  const receiver = await openPage(browser, pages);
  assert.deepEqual(await call(sender, 'createRoom', server.url, roomId), {
    success: true,
    message: 'create room success',
  });
  await call(receiver, 'expectBytes', size);
  await call(sender, 'enter', server.url, roomId, { isSender: true });
  await call(receiver, 'enter', server.url, roomId, { isSender: false });
  await transfer(sender, receiver, size);
  const socketKeys = async () => (await server.redis.command('KEYS', 'socket:*')).length;
  assert.equal(await socketKeys(), 2);

  // The sender comes back: initiator-online, recipient-ready, offer.
  await sender.reload();
  assert.deepEqual(await call(sender, 'createRoom', server.url, roomId), {
    success: true,
    message: 'room exists (rejoin allowed)',
  });
  await call(receiver, 'expectBytes', kAgainSize);
  await call(sender, 'enter', server.url, roomId, { isSender: true, reconnecting: true });
  await transfer(sender, receiver, kAgainSize);
  assert.ok((await call(sender, 'seenEvents')).includes('recipient-ready'));
  const events = await call(receiver, 'seenEvents');
  for (const event of ['offer', 'peer-disconnected', 'ready', 'initiator-online']) {
    assert.ok(events.includes(event), `${event} in ${events}`);
  }

  // The receiver comes back: its join is announced by `ready`.
  await receiver.reload();
  await call(receiver, 'expectBytes', kAgainSize);
  await call(receiver, 'enter', server.url, roomId, { isSender: false });
  await transfer(sender, receiver, kAgainSize);
  assert.equal(await socketKeys(), 2, 'nothing is left of the sockets that went');
}
