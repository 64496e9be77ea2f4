// The page that hostd serves to try it with: what it does when the other side of a channel does not keep
// to what the page speaks.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { launchBrowser } from '../lib/browser.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { closed, connected, hear, openBadSender, openHostile, openSender, say } from './hostile.mjs';
import { assertWellMade, choose, digests, kPlain, makeFile, openPage, saved } from './pages.mjs';

const kNonsense = 'The other side sent something that makes no sense';
const kSize = 1000;
const kFile = { name: 'a.bin', size: kSize, modified: 0 };
const kDigest = 'a'.repeat(64);
const kId = 'x'.repeat(22);

let hostd;
let browser;
let small;
before(async () => {
  hostd = await startHostd(kPlain);
  browser = await launchBrowser();
  small = await makeFile('small.bin', kSize);
});
after(async () => {
  await browser?.close();
  await hostd?.stop();
});

afterEach(() => Promise.all(browser.contexts().map((each) => each.close())));

const saysNonsense = (page) => page.waitForSelector(`.state:text-is("${kNonsense}")`);
const sendBytes = (page, ...lengths) =>
  page.evaluate(
    (all) => all.forEach((length) => globalThis.channel.send(new Uint8Array(length))),
    lengths,
  );

for (const [what, file] of Object.entries({
  'no file': null,
  'no name': { ...kFile, name: 5 },
  'no size': { ...kFile, size: 'large' },
  'a size below 0': { ...kFile, size: -1 },
  'a part of a byte': { ...kFile, size: 0.5 },
  'no time': { ...kFile, modified: {} },
})) {
  test(`a sender that sends ${what} is told of, and left`, async () => {
    const { bad, receiver } = await openBadSender(browser, hostd);
    await say(bad, { file });
    await Promise.all([saysNonsense(receiver), closed(bad)]);
    assert.deepEqual(receiver.faults, []);
  });
}

for (const [what, act] of Object.entries({
  'more than the file has': async (bad) => sendBytes(bad, kSize - 1, 2),
  'a digest before all is there': async (bad) => say(bad, { sha256: kDigest }),
  'a second file': async (bad) => say(bad, { file: { ...kFile, name: 'b' } }),
  'no digest': async (bad) => {
    await sendBytes(bad, kSize);
    await say(bad, { sha256: { length: 64 } });
  },
  'no JSON': async (bad) => bad.evaluate(() => globalThis.channel.send('{')),
  'no object': async (bad) => say(bad, null),
})) {
  test(`a sender that sends ${what} is told of, and left`, async () => {
    const { bad, receiver } = await openBadSender(browser, hostd);
    await say(bad, { file: kFile });
    await hear(bad, 'have');
    await act(bad);
    await Promise.all([saysNonsense(receiver), closed(bad)]);
    assert.deepEqual(receiver.faults, []);
  });
}

test('bytes of no file are no file', async () => {
  const { bad, receiver } = await openBadSender(browser, hostd);
  await sendBytes(bad, kSize);
  await Promise.all([saysNonsense(receiver), closed(bad)]);
  await assertWellMade(receiver);
});

test('the receiver takes the file of another sender then, and not of that one', async () => {
  const { bad, receiver, link } = await openBadSender(browser, hostd);
  await say(bad, { file: {} });
  await saysNonsense(receiver);
  await bad.evaluate(async () => globalThis.offerTo(await globalThis.receiver));
  await openSender(browser, hostd, link, small);
  assert.deepEqual(await digests(receiver), [[small.sha256, small.sha256]]);
  assert.equal(await bad.evaluate(() => globalThis.answers), 1);
});

for (const [what, messages] of Object.entries({
  nothing: [{}],
  'null for what it has': [{ have: null, receiver: kId }],
  'a text for what it has': [{ have: '0', receiver: kId }],
  'less than nothing': [{ have: -1, receiver: kId }],
  'more than all': [{ have: kSize + 1, receiver: kId }],
  'no name of its own': [{ have: 0, receiver: '' }],
  'less than before': [{ have: 500, receiver: kId }, { have: 499 }],
  'a digest of nothing': [{ sha256: kDigest }],
  'two digests': [{ have: kSize, receiver: kId }, { sha256: kDigest }, { sha256: kDigest }],
  'no digest': [{ have: kSize, receiver: kId }, { sha256: 5 }],
})) {
  test(`a receiver that says ${what} is told of, and left`, async () => {
    const sender = await openPage(browser, hostd.url);
    const bad = await openHostile(browser, hostd, await choose(sender, small));
    await connected(bad);
    await say(bad, ...messages);
    await Promise.all([saysNonsense(sender), closed(bad)]);
    assert.deepEqual(sender.faults, []);
  });
}

test('the name of a file leads nowhere, lies about nothing and has an end', async () => {
  const { bad, receiver } = await openBadSender(browser, hostd);
  const name = `../..\\\u202Egpj\u202C\u0000\n\u2028\u200B${'\u{1F600}'.repeat(300)}`;
  await say(bad, { file: { ...kFile, name, size: 1 } });
  await hear(bad, 'have');
  const clean = `....gpj${'\u{1F600}'.repeat(248)}`;
  assert.equal(await receiver.textContent('#title'), clean);
  await sendBytes(bad, 1);
  const sha256 = '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'; // of a 0
  await say(bad, { sha256 });
  await receiver.waitForSelector('.save:not([hidden])');
  assert.equal(await receiver.getAttribute('.save', 'download'), clean);
  assert.equal((await saved(receiver, () => receiver.click('.save'))).sha256, sha256);
  await assertWellMade(receiver);
});

for (const name of ['', '/', '..', ' . ']) {
  test(`a file of the name ${JSON.stringify(name)} gets another`, async () => {
    const { bad, receiver } = await openBadSender(browser, hostd);
    await say(bad, { file: { ...kFile, name } });
    await hear(bad, 'have');
    assert.equal(await receiver.textContent('#title'), 'file');
  });
}
