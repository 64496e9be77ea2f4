// The pages of these tests: page.html in a browser, each in a context of its own, and what two of them
// do together.
import assert from 'node:assert/strict';
import { serveFiles } from '../lib/browser.mjs';
import { within } from '../lib/wait.mjs';

export const servePages = () =>
  serveFiles({
    '/': new URL('page.html', import.meta.url),
    '/page.js': new URL('page.js', import.meta.url),
    '/socket.io.js': new URL(
      '../node_modules/socket.io-client/dist/socket.io.min.js',
      import.meta.url,
    ),
  });

// What the page complains about is printed.
export async function openPage(browser, pages) {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => console.error(`page: ${error}`));
  await page.goto(`${pages.origin}/`);
  return page;
}

// Calls what the page has on `window`.
export const call = (page, name, ...args) =>
  within(
    page.evaluate(([which, given]) => window[which](...given), [name, args]),
    name,
    { ms: 60000 },
  );

// Moves bytes that the receiver expects, once their channel is open.
export async function transfer(from, to, size) {
  await Promise.all([call(from, 'channelOpen'), call(to, 'channelOpen')]);
  const [sent, got] = await Promise.all([
    call(from, 'sendBytes', size),
    call(to, 'digestOfReceived'),
  ]);
  assert.match(sent, /^[0-9a-f]{64}$/);
  assert.equal(got, sent, 'SHA-256');
}
