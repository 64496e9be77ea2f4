// The page that hostd serves to try it with: what it does, for whom, and with what means.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import jsQR from 'jsqr';
import { launchBrowser } from '../lib/browser.mjs';
import { startHostd } from '../lib/hostd.mjs';
import {
  assertWellMade,
  choose,
  digests,
  kPlain,
  makeFile,
  openPage,
  saved,
} from './pages.mjs';

const kSmall = 3_000_001;
const kHost = 'signalbox.test'; // over http no secure context, as localhost is

let hostd;
let browser;
let small;
before(async () => {
  hostd = await startHostd(kPlain);
  browser = await launchBrowser({ host: kHost });
  small = await makeFile('small file.bin', kSmall);
});
after(async () => {
  await browser?.close();
  await hostd?.stop();
});

afterEach(() => Promise.all(browser.contexts().map((each) => each.close())));

const steps = (page) =>
  page.$$eval('.steps li', (all) => all.map(({ dataset }) => `${dataset.step} ${dataset.state}`));

test('both sides see how the connection forms', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  await sender.waitForSelector('[data-step=offer][data-state=now]');
  assert.deepEqual(await steps(sender), [
    'room done',
    'join done',
    'offer now',
    'answer todo',
    'candidates todo',
    'connected todo',
  ]);
  const receiver = await openPage(browser, link);
  await Promise.all([digests(sender), digests(receiver)]);
  const done = ['room', 'join', 'offer', 'answer', 'candidates', 'connected'];
  for (const page of [sender, receiver]) {
    assert.deepEqual(await steps(page), done.map((step) => `${step} done`));
    const told = await page.$$eval('#log p', (all) => all.map((each) => each.textContent));
    const order = ['Join', 'Offer', 'Answer', 'Connected', 'Received'];
    const places = order.map((word) => told.findIndex((line) => line.endsWith(`: ${word}`)));
    assert.deepEqual(places, [...places].sort((a, b) => a - b), told.join('\n'));
    assert.ok(places[0] >= 0, told.join('\n'));
    assert.notEqual(await page.textContent('[data-step=candidates] .note'), '');
  }
});

test('several receive at once, and one that comes later', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  const receivers = await Promise.all([1, 2, 3].map(() => openPage(browser, link)));
  const both = [small.sha256, small.sha256];
  for (const page of receivers) assert.deepEqual(await digests(page), [both]);
  assert.deepEqual(await digests(sender, 3), [both, both, both]);
  const late = await openPage(browser, link);
  assert.deepEqual(await digests(late), [both]);
  assert.deepEqual(await digests(sender, 4), [both, both, both, both]);
});

test('who is refused to join says so and tries again', async () => {
  const strict = await startHostd({
    ...kPlain,
    'limits.join_enabled': true,
    'limits.join_count': 1,
    'limits.join_window': 10, // s: the receiver is to come within it
  });
  try {
    const sender = await openPage(browser, strict.url);
    const link = await choose(sender, small);
    await sender.waitForSelector('[data-step=join][data-state=done]');
    const receiver = await openPage(browser, link);
    await receiver.waitForSelector('#notice:text("Rate limit exceeded")');
    await digests(receiver);
    assert.equal(await receiver.isVisible('#notice'), false);
  } finally {
    await strict.stop();
  }
});

test('the keyboard does for all of it', async () => {
  const permissions = ['clipboard-read', 'clipboard-write'];
  const sender = await openPage(browser, hostd.url, { permissions });
  const focused = (page) => page.evaluate(() => document.activeElement.id);
  for (let i = 0; i < 2; i++) await sender.keyboard.press('Tab');
  assert.equal(await focused(sender), 'file');
  const [chooser] = await Promise.all([
    sender.waitForEvent('filechooser'),
    sender.keyboard.press('Space'),
  ]);
  await chooser.setFiles(small.file);
  await sender.waitForSelector('#share:not([hidden])');
  assert.equal(await focused(sender), 'link');
  await sender.keyboard.press('Tab');
  await sender.keyboard.press('Enter');
  await sender.waitForSelector('#copy:text("Copied")');
  const link = await sender.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, await sender.inputValue('#link'));

  const receiver = await openPage(browser, link);
  await digests(receiver);
  for (let i = 0; i < 2; i++) await receiver.keyboard.press('Tab');
  const { sha256, name } = await saved(receiver, () => receiver.keyboard.press('Enter'));
  assert.equal(sha256, small.sha256);
  assert.equal(name, small.name);
});

test('it is well made before, during and after, in both themes, also on a phone', async () => {
  const sender = await openPage(browser, hostd.url);
  await assertWellMade(sender);
  const link = await choose(sender, { file: small.file });
  await assertWellMade(sender);
  const receiver = await openPage(browser, link);
  await Promise.all([digests(sender), digests(receiver)]);
  await assertWellMade(sender);
  await assertWellMade(receiver);
});

test('the QR code is the link', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  const [box, drawn] = await sender.$eval('#qr svg', (svg) => [
    svg.viewBox.baseVal.width,
    svg.querySelector('path').getAttribute('d'),
  ]);
  const kScale = 4;
  const size = box * kScale;
  const pixels = new Uint8ClampedArray(4 * size * size).fill(255);
  for (const [, x, y] of drawn.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let row = y * kScale; row < (Number(y) + 1) * kScale; row++) {
      const begin = 4 * (row * size + x * kScale);
      for (let at = begin; at < begin + 4 * kScale; at += 4) pixels.fill(0, at, at + 3);
    }
  }
  const read = jsQR.default ?? jsQR;
  assert.equal(read(pixels, size, size)?.data, link);
});

test('a link that leads to the reader\'s own machine comes with a warning', async () => {
  const own = await openPage(browser, hostd.url);
  await choose(own, small);
  assert.match(await own.textContent('#hint'), /this machine only/);
  const named = await openPage(browser, `http://${kHost}:${hostd.port}`);
  await choose(named, small);
  assert.doesNotMatch(await named.textContent('#hint'), /this machine only/);
});

test('where the page may not keep files on the disk it keeps them in memory', async () => {
  const url = `http://${kHost}:${hostd.port}`;
  const sender = await openPage(browser, url);
  const link = await choose(sender, small);
  const receiver = await openPage(browser, link);
  assert.equal(await receiver.evaluate(() => isSecureContext), false);
  const both = [[small.sha256, small.sha256]];
  assert.deepEqual(await digests(receiver), both);
  assert.deepEqual(await digests(sender), both);
  const { sha256 } = await saved(receiver, () => receiver.click('.save'));
  assert.equal(sha256, small.sha256);
  assert.deepEqual([...sender.faults, ...receiver.faults], []);
});

test('an empty file arrives, too', async () => {
  const empty = await makeFile('empty', 0);
  const sender = await openPage(browser, hostd.url);
  const receiver = await openPage(browser, await choose(sender, empty));
  assert.deepEqual(await digests(receiver), [[empty.sha256, empty.sha256]]);
  assert.deepEqual(await digests(sender), [[empty.sha256, empty.sha256]]);
});

test('the page knows the STUN and TURN servers that hostd tells of', async () => {
  const stun = 'stun:127.0.0.1:9';
  const told = await startHostd({ ...kPlain, 'turn.urls': stun });
  try {
    const page = await openPage(browser, told.url);
    await page.evaluate(() => {
      const Real = globalThis.RTCPeerConnection;
      globalThis.RTCPeerConnection = class extends Real {
        constructor(configuration) {
          super(configuration);
          globalThis.seen = configuration;
        }
      };
    });
    await openPage(browser, await choose(page, small));
    await digests(page);
    assert.deepEqual(await page.evaluate(() => globalThis.seen), { iceServers: [{ urls: [stun] }] });
  } finally {
    await told.stop();
  }
});

test('the policy lets the page ask nobody else', async () => {
  const page = await openPage(browser, hostd.url);
  const refused = await page.evaluate(async () => {
    const violation = new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', resolve);
    });
    await fetch('http://127.0.0.1:1/').catch(() => {});
    return (await violation).effectiveDirective;
  });
  assert.equal(refused, 'connect-src');
});

test('a link that is not whole is told', async () => {
  const page = await openPage(browser, `${hostd.url}/#half`);
  assert.match(await page.textContent('#lead'), /not complete/);
  await assertWellMade(page);
});
