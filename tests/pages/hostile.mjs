// Members of a room of the page to try hostd with that keep to nothing but what a test has them do.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { io } from 'socket.io-client';
import { Inbox, within } from '../lib/wait.mjs';
import { choose, openPage } from './pages.mjs';

const roomOf = (link) => new URL(link).hash.slice(1);

async function createRoom(hostd, roomId) {
  const answer = await fetch(`${hostd.url}/api/create_room`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ roomId }),
  });
  assert.equal((await answer.json()).success, true);
}

// A link to a room that nobody is in yet.
export async function newLink(hostd) {
  const roomId = randomBytes(16).toString('base64url');
  await createRoom(hostd, roomId);
  return `${hostd.url}/#${roomId}`;
}

// The page as the sender of this file to the room of a link that there is already. `excused`: see
// openPage().
export async function openSender(browser, hostd, link, file, { excused } = {}) {
  const page = await openPage(browser, hostd.url);
  page.excused = excused ?? page.excused;
  await page.evaluate((hash) => {
    history.replaceState({ sending: 'it' }, '', hash);
    location.reload();
  }, new URL(link).hash);
  await page.waitForSelector('#lead:text("reloaded")');
  assert.equal(await choose(page, file), link);
  return page;
}

// A member that only signals, and says to a sender that comes that it is there: { socket, send(peerId,
// event, data), hear(event), count(event), close() }, where count() is of what has not been taken by hear().
export async function enterRoom(hostd, link) {
  await createRoom(hostd, roomOf(link)); // the sender may not have come so far
  const socket = io(hostd.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  const inbox = new Inbox('the member');
  socket.onAny((...message) => inbox.push(message));
  socket.on('initiator-online', ({ roomId }) =>
    socket.emit('recipient-ready', { roomId, peerId: socket.id }));
  const joined = new Promise((resolve) => {
    socket.on('joinResponse', resolve);
  });
  socket.emit('join', { roomId: roomOf(link) });
  assert.equal((await within(joined, 'joinResponse')).success, true);
  return {
    socket,
    hear: async (event) => (await inbox.take(([name]) => name === event, event, 60_000))[1],
    count: (event) => inbox.messages.filter(([name]) => name === event).length,
    send: (peerId, event, data) => {
      const kind = event === 'ice-candidate' ? 'candidate' : event;
      socket.emit(event, { peerId, from: socket.id, [kind]: data });
    },
    close: () => socket.close(),
  };
}

// What the page below does, there: it connects by hand, as sender or as receiver.
async function enterByHand(roomId) {
  const path = await (await fetch('/socketio-path')).text();
  await import(`${path}socket.io.js`);
  const socket = globalThis.io({ path });
  const connections = {};
  globalThis.socket = socket;
  globalThis.heard = []; // texts on the channel
  globalThis.answers = 0;

  const use = (channel) => {
    globalThis.channel = channel;
    channel.onmessage = ({ data }) => globalThis.heard.push(JSON.parse(data));
  };
  const open = (peerId, attempt) => {
    const connection = new RTCPeerConnection();
    connections[peerId] = connection;
    const pass = (event, kind, data) =>
      socket.emit(event, { peerId, from: socket.id, [kind]: { ...data.toJSON(), attempt } });
    connection.onicecandidate = ({ candidate }) =>
      candidate && pass('ice-candidate', 'candidate', candidate);
    connection.ondatachannel = ({ channel }) => use(channel);
    return { connection, pass };
  };
  socket.on('offer', async ({ peerId, offer }) => {
    const { connection, pass } = open(peerId, offer.attempt);
    await connection.setRemoteDescription(offer);
    await connection.setLocalDescription();
    pass('answer', 'answer', connection.localDescription);
  });
  socket.on('answer', ({ peerId, answer }) => {
    globalThis.answers += 1;
    connections[peerId].setRemoteDescription(answer);
  });
  socket.on('ice-candidate', ({ peerId, candidate }) =>
    connections[peerId].addIceCandidate(candidate));
  globalThis.offerTo = async (peerId) => {
    const { connection, pass } = open(peerId, `attempt ${Math.random()}`);
    use(connection.createDataChannel('file'));
    await connection.setLocalDescription();
    pass('offer', 'offer', connection.localDescription);
  };
  globalThis.receiver = new Promise((resolve) => {
    socket.on('ready', ({ peerId }) => resolve(peerId));
  });
  const joined = new Promise((resolve) => {
    socket.on('joinResponse', resolve);
  });
  socket.emit('join', { roomId });
  await joined;
}

// A page in the room of the link, whose `channel`, once it is open, is the test's to speak on.
export async function openHostile(browser, hostd, link) {
  await createRoom(hostd, roomOf(link));
  const page = await openPage(browser, `${hostd.url}/#half`); // does nothing by itself
  await page.evaluate(enterByHand, roomOf(link));
  return page;
}

// Until one of the receivers that this sender has, of which others may be hostile, has everything.
export const delivered = (sender) =>
  sender.waitForSelector('.verdict[data-same=true]:not([hidden])', { timeout: 60_000 });

// Until its channel is open.
export const connected = (page) =>
  page.waitForFunction(() => globalThis.channel?.readyState === 'open', null, { timeout: 60_000 });

// A room, and in it a page that sends whatever the test says and one that receives it.
export async function openBadSender(browser, hostd) {
  const link = await newLink(hostd);
  const bad = await openHostile(browser, hostd, link);
  const receiver = await openPage(browser, link);
  await bad.evaluate(async () => globalThis.offerTo(await globalThis.receiver));
  await connected(bad);
  return { bad, receiver, link };
}

// Says these on its channel, one after the other.
export const say = (page, ...messages) =>
  page.evaluate(
    (all) => all.forEach((each) => globalThis.channel.send(JSON.stringify(each))),
    messages,
  );

// Until it has heard a text with this member.
export const hear = (page, member) =>
  page.waitForFunction((name) => globalThis.heard.some((each) => name in each), member);

export const closed = (page) =>
  page.waitForFunction(() => globalThis.channel.readyState === 'closed', null, { timeout: 60_000 });
