// The page that hostd serves to try it with: what it tells when something does not go as it should.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import path from 'node:path';
import { launchBrowser } from '../lib/browser.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { hear, openBadSender, say } from './hostile.mjs';
import { assertWellMade, choose, digests, kPlain, makeFile, openPage } from './pages.mjs';

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
