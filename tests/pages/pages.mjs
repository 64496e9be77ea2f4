// The pages that hostd serves, in contexts of one browser, and what is true of them always: they ask for
// nothing from elsewhere, break no policy of their own, fit, and have no fault that axe finds. And what
// tests of the page to try it with do there.
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { temporaryDirectory } from '../lib/process.mjs';

const kAxe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const kPatience = 60_000; // ms
const kBlock = 1024 * 1024;

// Options: the pages speak http to localhost, which browsers take for as good as https.
export const kPlain = { 'tls.cert': null, 'tls.key': null };

// A file of so many bytes: { file, name, sha256 }.
export async function makeFile(name, size) {
  const file = path.join(temporaryDirectory(), name);
  const handle = await open(file, 'w');
  const hash = createHash('sha256');
  for (let left = size; left > 0; left -= kBlock) {
    const block = randomFillSync(Buffer.alloc(Math.min(left, kBlock)));
    hash.update(block);
    await handle.write(block);
  }
  await handle.close();
  return { file, name, sha256: hash.digest('hex') };
}

export async function digestOf(file) {
  const hash = createHash('sha256');
  for await (const block of createReadStream(file)) hash.update(block);
  return hash.digest('hex');
}

// A page in a context of its own. What is wrong with it goes to `page.faults`, but for messages that
// `page.excused` matches.
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.faults = [];
  page.excused = /^$/;
  page.on('pageerror', (error) => page.faults.push(String(error)));
  page.on('console', (message) => {
    const isFault = ['error', 'warning'].includes(message.type());
    if (isFault && !page.excused.test(message.text())) page.faults.push(message.text());
  });
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith('blob:') && new URL(asked).origin !== new URL(url).origin) {
      page.faults.push(`asked for ${asked}`);
    }
  });
  await page.goto(url);
  return page;
}

// The page as a sender of this file, and its link.
export async function choose(page, { file }) {
  await page.setInputFiles('#file', file);
  await page.waitForSelector('#share:not([hidden])');
  return page.inputValue('#link');
}

// Until so large a part of the file has come (of several: at the first card); gives the part.
export async function progressed(page, part) {
  const handle = await page.waitForFunction(
    (least) => {
      const bar = document.querySelector('.transfer:not([hidden]) progress');
      return bar?.value >= least ? bar.value : null;
    },
    part,
    { timeout: kPatience },
  );
  return handle.jsonValue();
}

// Until as many cards as that have digests: [[here, there], ...].
export async function digests(page, cards = 1) {
  await page.waitForFunction(
    (count) => document.querySelectorAll('.verdict:not([hidden])').length === count,
    cards,
    { timeout: kPatience },
  );
  const shown = await page.$$eval('.card', (all) =>
    all.map((card) => [...card.querySelectorAll('.hashes code')].map((each) => each.textContent)),
  );
  const verdicts = await page.$$eval('.verdict', (all) => all.map((each) => each.textContent));
  assert.deepEqual(verdicts, Array(cards).fill('The digests match.'));
  return shown;
}

// Saves what was received, by whatever `save` does, and gives its digest and its name.
export async function saved(page, save) {
  const [download] = await Promise.all([page.waitForEvent('download'), save()]);
  return { sha256: await digestOf(await download.path()), name: download.suggestedFilename() };
}

// In both themes, on a phone and on a desk.
export async function assertWellMade(page) {
  await page.evaluate(`${kAxe}; null`);
  const before = page.viewportSize();
  for (const width of [320, before.width]) {
    await page.setViewportSize({ ...before, width });
    const needed = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(needed <= width, `${needed} pixels needed of ${width}`);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      const told = violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
      assert.deepEqual(told, [], `${width} pixels, ${colorScheme}`);
    }
  }
  assert.deepEqual(page.faults, []);
}
