// The page on admin.listen: that it shows what happens, and when nothing does.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { io } from 'socket.io-client';
import { launchBrowser } from '../lib/browser.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { assertWellMade, kPlain, openPage } from './pages.mjs';

const kAt = /msg="operators are served" at=(\S+)/;

let browser;
before(async () => {
  browser = await launchBrowser();
});
after(() => browser?.close());

let hostd;
const sockets = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  await Promise.all(browser.contexts().map((each) => each.close()));
  await hostd?.stop();
  hostd = undefined;
});

async function openStatus() {
  hostd = await startHostd({ ...kPlain, 'admin.listen': 0 });
  const [, url] = kAt.exec(hostd.child.output.stderr);
  const page = await openPage(browser, url);
  await page.waitForFunction(() => document.querySelector('#state').textContent.startsWith('Live'));
  return page;
}

const connect = async () => {
  const socket = io(hostd.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  sockets.push(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
};

const answered = (socket, event, ...emitted) =>
  new Promise((resolve) => {
    socket.once(event, resolve);
    if (emitted.length) socket.emit(...emitted);
  });

const createRoom = (roomId) =>
  fetch(`${hostd.url}/api/create_room`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ roomId }),
  });

const tileIs = (page, name, value) =>
  page.waitForSelector(`#tiles div:has(dt:text-is("${name}")):has(dd:text-is("${value}"))`);
const chart = (page, title) => page.locator('figure', { has: page.locator(`h2:text-is("${title}")`) });

test('it shows sessions, rooms and what was passed on', async () => {
  const page = await openStatus();
  await tileIs(page, 'Sessions', 0);
  await tileIs(page, 'Nodes', 1);
  assert.equal(await page.isVisible('#nothing'), true);
  await createRoom('seen');
  const [a, b] = [await connect(), await connect()];
  await answered(a, 'joinResponse', 'join', { roomId: 'seen' });
  await answered(b, 'joinResponse', 'join', { roomId: 'seen' });
  const offered = answered(b, 'offer');
  a.emit('offer', { peerId: b.id, offer: { sdp: 'x' } });
  await offered;
  await tileIs(page, 'Sessions', 2);
  await tileIs(page, 'Rooms', 1);
  const told = async (title) => chart(page, title).locator('svg').getAttribute('aria-label');
  assert.match(await told('Sessions'), /^Sessions: open 2$/);
  for (const title of ['Relay latency', 'Join latency', 'Redis round trip']) {
    assert.match(await told(title), /: median [\d.]+ (µs|ms), 99 % [\d.]+ (µs|ms)$/, title);
  }
  const path = await chart(page, 'Sessions').locator('path').first().getAttribute('d');
  assert.match(path, /^M[\d. ]+(L[\d. ]+)+$/);
  await assertWellMade(page);
});

test('it tells what was refused and dropped, and why', async () => {
  const page = await openStatus();
  const stranger = await connect();
  stranger.emit('offer', { peerId: 'nobody', offer: { sdp: 'x' } });
  const row = page.locator('#causes tbody tr');
  await row.first().waitFor();
  const cells = await row.first().locator('th, td').allTextContents();
  assert.deepEqual([cells[0], cells[1], cells[3]], ['event dropped', 'no room', '1']);
  const told = chart(page, 'Refused and dropped a second').locator('svg');
  assert.match(await told.getAttribute('aria-label'), /: refused 0, dropped 0\.\d+$/);
  assert.equal(await page.isVisible('#nothing'), false);
  await assertWellMade(page);
});

test('it tells when hostd does not answer', async () => {
  const page = await openStatus();
  page.excused = /ERR_CONNECTION_REFUSED/; // the browser tells of each failed request itself
  await hostd.stop();
  hostd = undefined;
  await page.waitForSelector('#state:text-is("hostd does not answer; trying again")');
  await assertWellMade(page);
});
