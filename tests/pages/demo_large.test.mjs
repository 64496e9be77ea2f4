// The page that hostd serves to try it with: a large file goes from browser to browser, over reloads.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser } from '../lib/browser.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { choose, digests, kPlain, makeFile, openPage, progressed, saved } from './pages.mjs';

const kLarge = 200_000_000;

let hostd;
let browser;
before(async () => {
  hostd = await startHostd(kPlain);
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await hostd?.stop();
});

test('200 MB arrive, though first the receiver is reloaded and then the sender', async () => {
  const large = await makeFile('large.bin', kLarge);
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, large);
  assert.match(link, new RegExp(`^${hostd.url}/#[\\w-]{22}$`));
  const receiver = await openPage(browser, link);

  const first = await progressed(receiver, 0.2);
  await receiver.reload();
  const second = await progressed(receiver, 0.0001);
  assert.ok(second >= first, `${second} after ${first}`);
  await progressed(receiver, 0.5);
  await sender.reload();
  assert.match(await sender.textContent('#lead'), /reloaded.*large\.bin again/);
  const third = await progressed(receiver, 0.0001);
  assert.equal(await choose(sender, large), link);
  const fourth = await progressed(sender, 0.0001);
  assert.ok(fourth >= third, `${fourth} after ${third}`);

  const both = [[large.sha256, large.sha256]];
  assert.deepEqual(await digests(receiver), both);
  assert.deepEqual(await digests(sender), both);
  const { sha256, name } = await saved(receiver, () => receiver.click('.save'));
  assert.equal(sha256, large.sha256);
  assert.equal(name, large.name);
  assert.deepEqual([...sender.faults, ...receiver.faults], []);
});
