// What ends a session by time (heartbeat, connect timeout, upgrade timeout), and the upgrade by hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { joined, meet, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { kText, RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';

const kInterval = 300;
const kTimeout = 300;

// `hasty` has short deadlines; `patient` the usual ones.
let hasty;
let patient;
before(async () => {
  hasty = await startServer({
    'engineio.ping_interval': kInterval,
    'engineio.ping_timeout': kTimeout,
    'engineio.upgrade_timeout': 300,
    'socketio.connect_timeout': 300,
  });
  patient = await startServer();
});
after(() => Promise.all([hasty.stop(), patient.stop()]));

const upgradePath = (sid) => `/socket.io/?EIO=4&transport=websocket&sid=${sid}`;

for (const transports of [['websocket'], ['polling']]) {
  test(`a client that answers pings stays (${transports})`, async () => {
    const {
      peers: [a, b],
      close,
    } = await meet(hasty, 2, { transports });
    let pings = 0;
    const pinged = new Promise((resolve) => {
      a.socket.io.engine.on('ping', () => {
        if (++pings === 4) resolve();
      });
    });
    await within(pinged, 'four pings');
    await b.receivesOnlyFrom(a);
    assert.equal(a.socket.connected, true);
    await close();
  });
}

test('a websocket client that does not answer is cut after interval and timeout', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(hasty, 1);
  const ws = await RawWebSocket.connect(hasty);
  await ws.join(roomId);
  await a.take('ready');
  const start = performance.now();
  assert.equal(await ws.takeText(), '2');
  const pinged = performance.now();
  await ws.closeCode();
  assert.ok(performance.now() - pinged >= kTimeout - 50, 'not before the timeout');
  assert.ok(performance.now() - start < 5000);
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: ws.id });
  await a.close();
});

test('a polling client gets the ping in its poll, and is cut when it stops', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(hasty, 1);
  const polling = await RawPolling.connect(hasty);
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  assert.match(await polling.take(), /^42\["joinResponse"/);
  assert.equal(await polling.take(), '2');
  await polling.post('3');
  assert.equal(await polling.take(), '2', 'a pong renews it');
  await a.take('ready');
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: polling.id });
  const { status, json } = await polling.poll();
  assert.deepEqual([status, json?.code], [400, 1]);
  await a.close();
});

test('a session that never sends CONNECT is closed, one that did stays', async () => {
  const ws = await RawWebSocket.open(hasty);
  await ws.takeText();
  for (let message = await ws.take(); message?.opcode === kText; message = await ws.take())
    ws.send('3');
  const peer = await Peer.connect(hasty);
  await within(
    new Promise((resolve) => {
      let pings = 0;
      peer.socket.io.engine.on('ping', () => {
        if (++pings === 3) resolve();
      });
    }),
    'three pings',
  );
  assert.equal(peer.socket.connected, true);
  await peer.close();
});

test('upgrade: probe, noop for the open poll, and the session goes on', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(patient, 1);
  const polling = await RawPolling.connect(patient);
  const poll = polling.poll();
  const ws = await RawWebSocket.open(patient, { path: upgradePath(polling.sid) });
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  assert.equal((await poll).text, '6');
  ws.send('5');
  ws.send(`42["join",{"roomId":"${roomId}"}]`);
  assert.deepEqual(JSON.parse((await ws.takeText()).slice(2)), ['joinResponse', joined(roomId)]);
  await a.take('ready');

  // Polling is over for this session, and asking does it no harm.
  const { status } = await polling.poll();
  assert.equal(status, 400);
  a.emit('offer', { peerId: polling.id, from: a.id, offer: 1 });
  assert.match(await ws.takeText(), /^42\["offer",/);
  const second = await RawWebSocket.open(patient, { path: upgradePath(polling.sid) }).catch(
    () => null,
  );
  await second?.closeCode();
  a.emit('offer', { peerId: polling.id, from: a.id, offer: 2 });
  assert.match(await ws.takeText(), /^42\["offer",/);
  ws.close();
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: polling.id });
  await a.close();
});

test('messages in flight during an upgrade arrive once and in order', async () => {
  for (let round = 0; round < 5; round++) {
    const {
      roomId,
      peers: [a],
    } = await meet(patient, 1);
    const b = await Peer.connect(patient, { transports: ['polling', 'websocket'] });
    b.emit('join', { roomId });
    const { peerId } = await a.take('ready');
    const kCount = 300;
    const upgraded = new Promise((resolve) => b.socket.io.engine.once('upgrade', resolve));
    for (let number = 0; number < kCount; number++) {
      a.emit('ice-candidate', { peerId, from: a.id, candidate: number });
      b.emit('ice-candidate', { peerId: a.id, from: b.id, candidate: number });
      if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (let number = 0; number < kCount; number++) {
      assert.equal((await b.take('ice-candidate')).candidate, number);
      assert.equal((await a.take('ice-candidate')).candidate, number);
    }
    if (b.transport !== 'websocket') await within(upgraded, 'upgrade');
    await b.take('joinResponse');
    b.assertEmpty();
    await Promise.all([a.close(), b.close()]);
  }
});

test('a probe that is never completed ends alone; polling goes on', async () => {
  const {
    peers: [a],
    roomId,
  } = await meet(hasty, 1);
  const polling = await RawPolling.connect(hasty);
  const ws = await RawWebSocket.open(hasty, { path: upgradePath(polling.sid) });
  await ws.closeCode();
  let packet = await polling.take();
  while (packet === '2' || packet === '6') {
    if (packet === '2') await polling.post('3');
    if (packet === '2' && (await polling.post(`42["join",{"roomId":"${roomId}"}]`)).status !== 200)
      break;
    packet = await polling.take();
  }
  assert.match(packet, /^42\["joinResponse"/);
  await a.take('ready');
  await a.close();
});

test('a wrong probe is refused and does not disturb the session', async () => {
  for (const probe of ['2', '2wrong', '40', '42["x"]', 'zzz', '']) {
    const polling = await RawPolling.connect(patient);
    const ws = await RawWebSocket.open(patient, { path: upgradePath(polling.sid) });
    ws.send(probe);
    await ws.closeCode();
    assert.ok(await sessionLives(patient, polling.sid), probe);
    assert.equal((await polling.post('3')).status, 200, probe);
  }
});

test('a client that closes its session by a close packet is gone', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(patient, 1);
  const polling = await RawPolling.connect(patient);
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  await polling.take();
  await polling.post('1');
  await a.take('ready');
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: polling.id });
  await eventually(
    async () => (await get(patient, polling.path)).json?.code === 1,
    'unknown session',
  );
  await a.close();
});
