// The page that hostd serves to try it with: what it tells when something does not go as it should.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import path from 'node:path';
import { launchBrowser } from '../lib/browser.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { delivered, enterRoom, hear, newLink, openBadSender, openSender, say } from './hostile.mjs';
import { assertWellMade, choose, digests, kPlain, makeFile, openPage } from './pages.mjs';

const kStun = 'stun:127.0.0.1:9';

let hostd;
let browser;
let small;
let other;
before(async () => {
  hostd = await startHostd(kPlain);
  browser = await launchBrowser();
  small = await makeFile('small.bin', 3_000_001);
  other = await makeFile('other.bin', 1000);
});
after(async () => {
  await browser?.close();
  await hostd?.stop();
});

afterEach(() => Promise.all(browser.contexts().map((each) => each.close())));

test('the sender is told when the receiver cannot keep the file', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  const receiver = await openPage(browser, `${hostd.url}/#half`);
  await receiver.context().route('**/places.js', async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/this\.access\.write\(.*?\)/, '0');
    await route.fulfill({ response, body });
  });
  await receiver.goto(link);
  await receiver.waitForSelector('.state:text-is("It cannot be kept: The disk is full.")');
  await sender.waitForSelector('.state:text-is("The receiver cannot keep the file")');
  await assertWellMade(sender);
  await assertWellMade(receiver);

  // Once there is room, a reload does.
  await receiver.context().unrouteAll();
  await receiver.reload();
  await digests(receiver);
  await digests(sender);
});

test('how fast it goes is not told any more when nothing moves', async () => {
  const { bad, receiver } = await openBadSender(browser, hostd);
  await say(bad, { file: { name: 'a', size: 1_000_000, modified: 0 } });
  await hear(bad, 'have');
  await bad.evaluate(() => {
    globalThis.sending = setInterval(() => globalThis.channel.send(new Uint8Array(1000)), 60);
  });
  await receiver.waitForFunction(() => document.querySelector('.rate').textContent !== '');
  await bad.evaluate(() => clearInterval(globalThis.sending));
  await receiver.waitForFunction(() => document.querySelector('.rate').textContent === '');
  await bad.evaluate(() => {
    for (let i = 0; i < 3; i++) setTimeout(() => globalThis.channel.send(new Uint8Array(1000)), 200 * i);
  });
  await receiver.waitForFunction(() => document.querySelector('.rate').textContent !== '');
});

// As a person drops these files from elsewhere.
async function drop(page, ...files) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await session.send('Input.dispatchDragEvent', { type, x: 200, y: 300, data });
  }
}

test('several files, or a folder, are not taken, and the person is told so', async () => {
  const page = await openPage(browser, hostd.url);
  await drop(page, small.file, other.file);
  await page.waitForSelector('#notice:text("one file only")');
  await drop(page, path.dirname(small.file));
  await page.waitForSelector('#notice:text("folder cannot be sent")');
  await assertWellMade(page);
  await drop(page, other.file);
  await page.waitForSelector('#share:not([hidden])');
  assert.equal(await page.textContent('#file-name'), other.name);
  assert.equal(await page.isVisible('#notice'), false);
  const receiver = await openPage(browser, await page.inputValue('#link'));
  assert.deepEqual(await digests(receiver), [[other.sha256, other.sha256]]);
});

test('the person is told when the server names no relays', async () => {
  const strict = await startHostd({ ...kPlain, 'turn.urls': kStun, 'limits.ice_count': 1 });
  const refused = '#notice:text("names no relays, so a connection may fail: Rate limit exceeded")';
  const link = await newLink(strict);
  const member = await enterRoom(strict, link);
  try {
    await fetch(`${strict.url}/api/ice_servers`); // the one that is allowed
    const receiver = await openPage(browser, link);
    receiver.excused = /429/; // the browser tells of each failed request itself
    member.send((await member.hear('ready')).peerId, 'offer', { type: 'offer', sdp: 'v=0' });
    await receiver.waitForSelector(refused);
    await assertWellMade(receiver);
    await receiver.close();

    const sender = await openSender(browser, strict, link, small, { excused: /429/ });
    await sender.waitForSelector(refused);
    await assertWellMade(sender);
    await openPage(browser, link);
    await delivered(sender);
    assert.equal(await sender.isVisible('#notice'), false, 'it has gone well');
  } finally {
    member.close();
    await strict.stop();
  }
});

test('an answer of another kind is told of, too', async () => {
  const link = await newLink(hostd);
  const member = await enterRoom(hostd, link);
  try {
    const receiver = await openPage(browser, link);
    receiver.excused = /503/;
    await receiver.route('**/api/ice_servers', (route) => route.fulfill({ status: 503, body: 'busy' }));
    member.send((await member.hear('ready')).peerId, 'offer', { type: 'offer', sdp: 'v=0' });
    await receiver.waitForSelector('#notice:text("HTTP 503")');
  } finally {
    member.close();
  }
});

test('each connection has credentials that are valid for long enough', async () => {
  const told = await startHostd({
    ...kPlain,
    'turn.urls': kStun,
    'turn.ttl': 3600,
    'engineio.ping_timeout': 3_600_000, // the clock is put forward, which must not seem a silent server
  });
  try {
    const sender = await openPage(browser, 'about:blank');
    await sender.clock.install();
    const asked = [];
    sender.on('request', (request) => {
      if (request.url().endsWith('/api/ice_servers')) asked.push(request.url());
    });
    await sender.goto(told.url);
    const link = await choose(sender, small);
    await sender.waitForSelector('[data-step=join][data-state=done]');
    assert.equal(asked.length, 0, 'before there is anybody to connect to');
    for (const times of [1, 1, 2]) {
      if (times === 2) await sender.clock.fastForward(2_000_000);
      await digests(await openPage(browser, link));
      assert.equal(asked.length, times);
    }
    await digests(sender, 3);
  } finally {
    await told.stop();
  }
});
