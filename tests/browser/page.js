// One side of a file transfer, as a web client does it: meet in a room through the signaling server,
// then talk directly. The test calls what is on `window`.
'use strict';

const kChunk = 64 * 1024;
const kHighWater = 4 * 1024 * 1024;

let configuration = {}; // of each connection
let socket;
let connection;
let remoteId; // whom the connection is with
let channel;
let pending = []; // candidates that came before the remote description
let wantChannel; // settles when a channel is open
let received; // of the receiver: { size, done }

const seen = []; // events in order, for the test to look at
const hex = (buffer) =>
  [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function expectChannel() {
  wantChannel = {};
  wantChannel.open = new Promise((resolve) => {
    wantChannel.resolve = resolve;
  });
}

function useChannel(fresh) {
  channel = fresh;
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = kHighWater / 4;
  if (channel.readyState === 'open') wantChannel.resolve();
  else channel.onopen = () => wantChannel.resolve();
  channel.onmessage = ({ data }) => received.take(data);
}

function newConnection(peerId) {
  connection?.close();
  remoteId = peerId;
  pending = [];
  connection = new RTCPeerConnection(configuration);
  connection.onicecandidate = ({ candidate }) => {
    if (candidate) socket.emit('ice-candidate', { peerId, from: socket.id, candidate });
  };
  connection.ondatachannel = (event) => useChannel(event.channel);
  return connection;
}

async function setRemote(description) {
  await connection.setRemoteDescription(description);
  for (const candidate of pending.splice(0)) await connection.addIceCandidate(candidate);
}

async function sendOffer(peerId) {
  const fresh = newConnection(peerId);
  useChannel(fresh.createDataChannel('file', { ordered: true }));
  await fresh.setLocalDescription(await fresh.createOffer());
  socket.emit('offer', { peerId, from: socket.id, offer: fresh.localDescription });
}

window.iceServers = async (server) => (await fetch(`${server}/api/ice_servers`)).json();

// From now on connections go through these TURN servers only.
window.relayThrough = (iceServers) => {
  configuration = { iceServers, iceTransportPolicy: 'relay' };
};

// What a connection finds by its ICE servers alone, and the errors that these answer.
window.gather = async () => {
  const alone = new RTCPeerConnection(configuration);
  const found = { candidates: [], errors: [] };
  alone.onicecandidateerror = ({ errorCode }) => found.errors.push(errorCode);
  alone.createDataChannel('none');
  await new Promise((resolve, reject) => {
    alone.onicecandidate = ({ candidate }) =>
      candidate === null ? resolve() : found.candidates.push(candidate.type);
    alone.setLocalDescription().catch(reject);
  });
  alone.close();
  return found;
};

// The types of the two candidates that the connection has settled on.
window.typesInUse = async () => {
  const stats = await connection.getStats();
  const transport = [...stats.values()].find(({ type }) => type === 'transport');
  const pair = stats.get(transport.selectedCandidatePairId);
  return [pair.localCandidateId, pair.remoteCandidateId].map((id) => stats.get(id).candidateType);
};

// Connects to the server and joins the room. The sender offers whenever a recipient is ready.
window.enter = async (server, roomId, { isSender, reconnecting = false }) => {
  expectChannel();
  socket = io(server, { transports: ['websocket', 'polling'] });
  const work = { last: Promise.resolve() };
  const on = (event, handler) =>
    socket.on(event, (data) => {
      seen.push(event);
      work.last = work.last
        .then(() => handler(data))
        .catch((error) => seen.push(`error: ${error}`));
    });
  on('ready', async ({ peerId }) => {
    if (isSender) await sendOffer(peerId);
  });
  on('recipient-ready', async ({ peerId }) => {
    if (isSender) await sendOffer(peerId);
  });
  on('initiator-online', () => {
    if (!isSender) socket.emit('recipient-ready', { roomId, peerId: socket.id });
  });
  on('offer', async ({ peerId, offer }) => {
    const fresh = newConnection(peerId);
    await setRemote(offer);
    await fresh.setLocalDescription(await fresh.createAnswer());
    socket.emit('answer', { peerId, from: socket.id, answer: fresh.localDescription });
  });
  on('answer', ({ answer }) => setRemote(answer));
  on('ice-candidate', ({ candidate }) => {
    if (connection?.remoteDescription) return connection.addIceCandidate(candidate);
    pending.push(candidate);
  });
  on('peer-disconnected', ({ peerId }) => {
    if (peerId !== remoteId) return;
    connection.close();
    expectChannel();
  });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const response = await new Promise((resolve) => {
    socket.once('joinResponse', resolve);
    socket.emit('join', { roomId });
  });
  if (!response.success) throw new Error(response.message);
  if (isSender && reconnecting) socket.emit('initiator-online', { roomId });
};

window.createRoom = async (server, roomId) => {
  const answer = await fetch(`${server}/api/create_room`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    credentials: 'include',
    body: JSON.stringify({ roomId }),
  });
  return answer.json();
};

window.channelOpen = () => wantChannel.open;
window.seenEvents = () => seen.slice();

// The same bytes on every run: a small generator fills the file.
function deterministicBytes(size) {
  const words = new Uint32Array(size / 4);
  let state = 0x9e3779b9;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer);
}

window.expectBytes = (size) => {
  const bytes = new Uint8Array(size);
  let filled = 0;
  received = {};
  received.done = new Promise((resolve) => {
    received.take = (data) => {
      bytes.set(new Uint8Array(data), filled);
      filled += data.byteLength;
      if (filled === size) resolve(bytes);
    };
  });
};

window.digestOfReceived = async () =>
  hex(await crypto.subtle.digest('SHA-256', await received.done));

// Sends `size` bytes with backpressure and gives their SHA-256.
window.sendBytes = async (size) => {
  const bytes = deterministicBytes(size);
  for (let at = 0; at < size; at += kChunk) {
    if (channel.bufferedAmount > kHighWater) {
      await new Promise((resolve) =>
        channel.addEventListener('bufferedamountlow', resolve, { once: true }),
      );
    }
    channel.send(bytes.subarray(at, Math.min(at + kChunk, size)));
  }
  return hex(await crypto.subtle.digest('SHA-256', bytes));
};
