// The page that hostd serves to try it with: what other members of its room can do, and who is who there.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { launchBrowser } from '../lib/browser.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { connected, delivered, enterRoom, hear, newLink, openHostile, openSender } from './hostile.mjs';
import { choose, digests, kPlain, makeFile, openPage } from './pages.mjs';

const kMost = 100; // receivers that are not connected
const kPatience = 30_000; // ms of a page for who does not answer
const kBogus = { candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ host', sdpMid: '7' };

let hostd;
let browser;
let small;
before(async () => {
  // The clocks of pages are put forward here, which must not seem a silent server to them.
  hostd = await startHostd({ ...kPlain, 'engineio.ping_timeout': 600_000 });
  browser = await launchBrowser();
  small = await makeFile('small.bin', 3_000_001);
});
after(async () => {
  await browser?.close();
  await hostd?.stop();
});

const members = [];
afterEach(async () => {
  for (const member of members.splice(0)) member.close();
  await Promise.all(browser.contexts().map((each) => each.close()));
});

async function enter(link) {
  const member = await enterRoom(hostd, link);
  members.push(member);
  return member;
}

const cards = (page) => page.$$eval('.card h2', (all) => all.map((each) => each.textContent));

test('what comes late of another attempt makes no new one', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  const member = await enter(link);
  const { peerId, offer } = await member.hear('offer');
  for (const attempt of [undefined, 'another', null]) {
    member.send(peerId, 'ice-candidate', { ...kBogus, attempt });
    member.send(peerId, 'answer', { type: 'answer', sdp: 'v=0', attempt });
  }
  member.send(peerId, 'ice-candidate', { ...kBogus, attempt: offer.attempt });
  member.send(peerId, 'ice-candidate', null);
  const receiver = await openPage(browser, link);
  await digests(receiver);
  await delivered(sender);
  assert.equal(member.count('offer'), 0, 'more offers');
  assert.deepEqual(sender.faults, []);
});

test('each attempt that fails is followed by a longer wait', async () => {
  const sender = await openPage(browser, hostd.url);
  const member = await enter(await choose(sender, small));
  const waits = [];
  let last;
  for (let i = 0; i < 4; i++) {
    const { peerId, offer } = await member.hear('offer');
    const now = performance.now();
    if (last) waits.push(now - last);
    last = now;
    member.send(peerId, 'answer', { type: 'answer', sdp: 'senseless', attempt: offer.attempt });
  }
  [1000, 2000, 4000].forEach((least, i) => assert.ok(waits[i] >= least - 10, `${waits[i]} ms`));
});

test('members that are made up take no more than their share, and go', async () => {
  const sender = await openPage(browser, 'about:blank');
  await sender.clock.install();
  await sender.addInitScript((bound) => {
    const Real = RTCPeerConnection;
    globalThis.most = 0;
    let open = 0;
    globalThis.RTCPeerConnection = class extends Real {
      constructor(configuration) {
        super(configuration);
        open += 1;
        globalThis.most = Math.max(globalThis.most, open);
        globalThis.isFull = open >= bound;
      }

      close() {
        if (this.signalingState !== 'closed') open -= 1;
        super.close();
      }
    };
  }, kMost);
  await sender.goto(hostd.url);
  const link = await choose(sender, small);
  const member = await enter(link);
  for (let i = 0; i < 3 * kMost; i++) {
    member.socket.emit('recipient-ready', { roomId: link.split('#')[1], peerId: `made up ${i}` });
  }
  await sender.waitForFunction(() => globalThis.isFull);
  const made = new Set(await cards(sender));
  assert.ok(made.size <= kMost, `${made.size} cards`);
  member.close();
  const receiver = await openPage(browser, link);
  await sender.clock.fastForward(kPatience);
  await digests(receiver);
  await delivered(sender);
  await sender.clock.fastForward(kPatience); // for those that came meanwhile
  await sender.waitForFunction(() => document.querySelectorAll('.card').length === 1);
  const most = await sender.evaluate(() => globalThis.most);
  assert.ok(most <= kMost + 1, `${most} connections`);
});

// The id of the one receiver in the room, which it says to a sender that comes.
async function receiverOf(member, link) {
  member.socket.emit('initiator-online', { roomId: new URL(link).hash.slice(1) });
  return (await member.hear('recipient-ready')).peerId;
}

const kOffer = { type: 'offer', sdp: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n' };

test('who offers while the sender is there is not taken for it', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  const receiver = await openPage(browser, link);
  await digests(receiver);
  const bad = await enter(link);
  bad.send(await receiverOf(bad, link), 'offer', { ...kOffer, attempt: 'a' });

  // The sender is another member of the room after a reload, and is taken for what it is.
  await sender.reload();
  assert.equal(await choose(sender, small), link);
  await delivered(sender);
  await digests(receiver);
  assert.equal(bad.count('answer'), 0, 'the offer was answered');
  assert.deepEqual(receiver.faults, []);
});

test('who was there before the sender does not keep it out for good', async () => {
  const link = await newLink(hostd);
  const bad = await enter(link);
  const receiver = await openPage(browser, link);
  bad.send((await bad.hear('ready')).peerId, 'offer', { ...kOffer, attempt: 'a' });
  await bad.hear('answer');
  const sender = await openSender(browser, hostd, link, small);
  await bad.hear('initiator-online');
  await bad.hear('recipient-ready');
  bad.close();
  await digests(receiver);
  await digests(sender);
});

test('a receiver that closes its channel is told of, and gets another when it asks', async () => {
  const sender = await openPage(browser, hostd.url);
  const other = await openHostile(browser, hostd, await choose(sender, small));
  await connected(other);
  await hear(other, 'file');
  await other.evaluate(() => globalThis.channel.close());
  await sender.waitForSelector('.state:text-is("Away; it may come back")');
  await other.evaluate((roomId) => {
    globalThis.heard = [];
    globalThis.socket.emit('recipient-ready', { roomId, peerId: globalThis.socket.id });
  }, new URL(await sender.inputValue('#link')).hash.slice(1));
  await hear(other, 'file');
});

test('a receiver that comes back has its card again', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  const first = await openPage(browser, link);
  await digests(first);
  const second = await openPage(browser, link);
  await digests(second);
  await digests(sender, 2);
  for (const page of [second, first, second]) {
    await page.reload();
    await digests(page);
  }
  await sender.waitForFunction(() =>
    [...document.querySelectorAll('.state')].every((each) => each.textContent === 'Received'));
  assert.deepEqual(await cards(sender), ['Receiver 1', 'Receiver 2']);
  await openPage(browser, link);
  await digests(sender, 3);
  assert.deepEqual(await cards(sender), ['Receiver 1', 'Receiver 2', 'Receiver 3']);
});

test('a copy of the tab is another receiver', async () => {
  const sender = await openPage(browser, hostd.url);
  const link = await choose(sender, small);
  const receiver = await openPage(browser, link);
  await digests(receiver);
  const state = await receiver.evaluate(() => history.state);
  const copy = await receiver.context().newPage();
  await copy.goto(`${hostd.url}/#half`);
  await copy.evaluate(([kept, hash]) => history.replaceState(kept, '', hash), [state, new URL(link).hash]);
  await copy.goto('about:blank');
  await copy.goBack();
  await digests(copy);
  await digests(sender, 2);
});
