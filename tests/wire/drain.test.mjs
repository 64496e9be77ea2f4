// A node that is asked to end sends its clients elsewhere, one after another, and leaves nothing half
// done.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { startBalancer } from '../lib/balancer.mjs';
import { createRoom, longRoom, meet } from '../lib/clients.mjs';
import { startHostd, startServer } from '../lib/hostd.mjs';
import { kClose, RawConnection, RawPolling, RawWebSocket } from '../lib/raw.mjs';
import { startRedis } from '../lib/redis.mjs';
import { eventually, within } from '../lib/wait.mjs';

const disconnected = (socket) => new Promise((resolve) => socket.once('disconnect', resolve));
const connected = (socket) => new Promise((resolve) => socket.once('connect', resolve));

// Requests of one client over one connection, which needs no listener any more: browsers keep theirs.
class KeptConnection {
  static async open(server) {
    return new KeptConnection(await RawConnection.open(server.port));
  }

  constructor(connection) {
    this.connection = connection;
  }

  write(method, path, body = '') {
    const length = Buffer.byteLength(body);
    this.connection.write(
      `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${length}\r\n\r\n${body}`,
    );
  }

  async request(method, path, body) {
    this.write(method, path, body);
    return this.connection.answer();
  }

  // A session on polling, connected to the main namespace: { id, post(), poll() }.
  async session() {
    const base = '/socket.io/?EIO=4&transport=polling';
    const open = await this.request('GET', base);
    const { sid } = JSON.parse(open.text.slice(1));
    const post = (body) => this.request('POST', `${base}&sid=${sid}`, body);
    const poll = () => this.request('GET', `${base}&sid=${sid}`);
    assert.equal((await post('40')).text, 'ok');
    const id = JSON.parse((await poll()).text.slice(2)).sid;
    return { id, post, poll, path: `${base}&sid=${sid}` };
  }

  close() {
    this.connection.close();
  }
}

// All turns come at once; what is under way has time.
const kAtOnce = { 'shutdown.drain': 0, 'shutdown.timeout': 6000 };

// A server that has been asked to end, but goes on: a client of it has not fetched its messages.
async function startDraining(options = {}) {
  const server = await startServer({ ...kAtOnce, ...options });
  const roomId = longRoom();
  await createRoom(server, roomId);
  const late = await (await KeptConnection.open(server)).session();
  await late.post(`42["join",{"roomId":"${roomId}"}]`);
  const early = await RawWebSocket.connect(server);
  const api = await KeptConnection.open(server);
  assert.equal((await api.request('GET', '/health')).status, 200);
  await late.poll();
  assert.equal((await early.join(roomId)).success, true); // `ready` waits for `late`
  server.hostd.child.kill('SIGTERM');
  assert.equal(await early.closeCode(), 1000);
  return { server, roomId, late, api };
}

// All that a session on polling is told, to its end: then it is unknown. (A close packet would keep
// python-socketio from coming back.)
async function fetchAll({ poll }) {
  const packets = [];
  for (;;) {
    const { status, text } = await poll();
    if (status !== 200) {
      assert.deepEqual([status, JSON.parse(text).code], [400, 1]);
      return packets;
    }
    packets.push(...text.split('\x1e'));
  }
}

test('clients come back elsewhere by themselves, and join again; nothing of the node is left', async () => {
  const kEach = 12;
  const redis = await startRedis();
  const options = { 'redis.url': redis.url };
  const [leaving, staying] = await Promise.all([startHostd(options), startHostd(options)]);
  const balancer = await startBalancer(leaving, staying);
  const roomId = longRoom();
  await createRoom(staying, roomId);
  const clients = [];
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    for (let i = 0; i < kEach; ++i) {
      clients.push(
        io(balancer.url, {
          forceNew: true,
          transports,
          reconnectionDelay: 1,
          reconnectionDelayMax: 50,
        }),
      );
    }
  }
  const joins = (client) =>
    new Promise((resolve) => {
      client.once('joinResponse', ({ success }) => resolve(success));
      client.emit('join', { roomId });
    });
  await Promise.all(
    clients.map(async (client) => {
      await within(connected(client), 'connection');
      assert.equal(await within(joins(client), 'join'), true);
    }),
  );
  const before = new Set(clients.map(({ id }) => id));
  const node = clients[0].id.slice(0, 4);
  assert.ok(clients.every(({ id }) => id.startsWith(node)));

  const back = clients.map(async (client) => {
    const reason = await within(disconnected(client), 'disconnect');
    // Not "io server disconnect": after that a client stays away.
    assert.ok(['transport close', 'transport error'].includes(reason), reason);
    await within(connected(client), 'reconnection');
    assert.equal(await within(joins(client), 'join elsewhere'), true);
  });
  assert.deepEqual(await leaving.stop(), { code: 0, signal: null });
  await Promise.all(back);
  const after = clients.map(({ id }) => id);
  assert.ok(after.every((id) => !before.has(id) && !id.startsWith(node)));
  const members = await redis.command('SMEMBERS', `room:${roomId}:sockets`);
  assert.deepEqual(members.sort(), after.sort());
  const keys = await redis.command('KEYS', 'socket:*');
  assert.deepEqual(keys.sort(), after.map((id) => `socket:${id}`).sort());

  for (const client of clients) client.close();
  await eventually(async () => (await redis.command('KEYS', 'socket:*')).length === 0, 'leaves');
  await balancer.stop();
  await staying.stop();
  await redis.stop();
});

test('one after another: who has not been told yet goes on, and the order is no order', async () => {
  const kClients = 100; // for half a second
  const server = await startServer();
  const clients = [];
  for (let i = 0; i < kClients; ++i) clients.push(await RawWebSocket.connect(server));
  const roomId = longRoom();
  await createRoom(server, roomId);
  const told = [];
  const ends = clients.map(async (ws, index) => {
    for (let message = await ws.take(); message; message = await ws.take()) {
      if (message.opcode === kClose) break;
      ws.heard?.(message.data.toString());
    }
    told.push(index);
    ws.told?.();
  });
  server.hostd.child.kill('SIGTERM');
  // As soon as one is told, another asks for something, and so on: turns that the loop takes between
  // two of them. A client may be told while its own question is on its way.
  let answered = 0;
  while (told.length < kClients) {
    const ws = clients.findLast((each, index) => !told.includes(index));
    const outcome = new Promise((resolve) => {
      ws.heard = () => resolve(true);
      ws.told = () => resolve(false);
    });
    ws.send(`42["join",{"roomId":"${roomId}"}]`);
    if (await within(outcome, 'answer or end')) ++answered;
    const known = told.length;
    await eventually(() => told.length > known || told.length === kClients, 'next client');
  }
  await Promise.all(ends);
  assert.ok(answered > kClients / 10, `${answered} were served while others were told`);
  // Six are to be expected of any order that is random, 20 of none.
  const neighbours = told.filter((index, place) => Math.abs(index - told[place - 1]) <= 3);
  assert.ok(neighbours.length < 20, `in random order: ${told}`);
  await server.stop();
});

test('peers whose turn has not come pass on messages, and lose none', async () => {
  const server = await startServer();
  const {
    peers: [a, b],
  } = await meet(server, 2);
  for (let i = 0; i < 60; ++i) (await RawWebSocket.connect(server)).closeCode();
  const heard = [];
  b.socket.on('offer', ({ offer }) => heard.push(offer));
  let sent = 0;
  let acknowledged = 0;
  const send = () => a.emit('offer', { peerId: b.id, offer: sent++ });
  // The next message is sent when the one before has arrived.
  b.socket.on('offer', () => {
    ++acknowledged;
    if (a.socket.connected) send();
  });
  send();
  await eventually(() => acknowledged > 0, 'first message');
  const end = server.hostd.stop();
  await Promise.all([within(a.closed, 'end of a'), within(b.closed, 'end of b')]);
  await end;
  // At most the last one was on its way when one of the two was told.
  assert.ok(sent - heard.length <= 1, `${sent} sent, ${heard.length} heard`);
  assert.deepEqual(
    heard,
    heard.map((_, index) => index),
  );
  await server.redis.stop();
});

test('no new clients: the listener is closed, open connections open no session, /health says so', async () => {
  const { server, late, api } = await startDraining();
  await assert.rejects(RawConnection.open(server.port), { code: 'ECONNREFUSED' });
  const brief = await api.request('GET', '/health');
  assert.deepEqual([brief.status, JSON.parse(brief.text).status], [503, 'draining']);
  const detailed = await api.request('GET', '/health/detailed');
  assert.deepEqual([detailed.status, JSON.parse(detailed.text).status], [503, 'draining']);
  const room = await api.request('POST', '/api/create_room', '{"roomId":"while-draining"}');
  assert.deepEqual([room.status, JSON.parse(room.text).success], [200, true]);
  const handshake = await api.request('GET', '/socket.io/?EIO=4&transport=polling');
  assert.equal(handshake.status, 503);
  assert.match(handshake.head, /connection: close/i);
  await fetchAll(late);
  await server.stop();
});

test('what waits for a client on polling is delivered before its end', async () => {
  const { server, roomId, late } = await startDraining();
  assert.equal((await late.post(`42["recipient-ready",{"roomId":"${roomId}"}]`)).text, 'ok');
  const packets = await fetchAll(late);
  assert.deepEqual(
    packets.map((packet) => JSON.parse(packet.slice(2))[0]),
    ['ready', 'peer-disconnected'],
  );
  await server.stop();
  assert.deepEqual(server.hostd.log.match(/level=(error|warning)/g), null);
});

test('a message whose POST has begun is taken, and passed on, before its sender is told', async () => {
  const server = await startServer(kAtOnce);
  const roomId = longRoom();
  await createRoom(server, roomId);
  const [sending, receiving] = [
    await (await KeptConnection.open(server)).session(),
    await (await KeptConnection.open(server)).session(),
  ];
  for (const each of [sending, receiving]) {
    await each.post(`42["join",{"roomId":"${roomId}"}]`);
    await each.poll();
  }
  await sending.poll(); // `ready`
  const body = `42["offer",{"peerId":"${receiving.id}","offer":"the last"}]`;
  const half = await RawConnection.open(server.port);
  half.write(
    `POST ${sending.path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
  );
  // The receiver is at rest once it has fetched all; a message that waits keeps it.
  await receiving.post('42["join",{"roomId":"some-other-room"}]');
  const witness = await RawWebSocket.connect(server);
  server.hostd.child.kill('SIGTERM');
  assert.equal(await witness.closeCode(), 1000);
  half.write(body.slice(9));
  assert.equal((await half.answer()).text, 'ok');
  const [packets] = await Promise.all([fetchAll(receiving), fetchAll(sending)]);
  assert.ok(
    packets.some((packet) => packet.includes('"the last"')),
    `${packets}`,
  );
  await server.stop();
});

test('a join under way ends before the session does', async () => {
  const server = await startServer({ ...kAtOnce, 'redis.command_timeout': 4000 });
  const roomId = longRoom();
  await createRoom(server, roomId);
  const [joining, witness] = [
    await RawWebSocket.connect(server),
    await RawWebSocket.connect(server),
  ];
  server.redis.child.kill('SIGSTOP');
  joining.send(`42["join",{"roomId":"${roomId}"}]`);
  // Answered behind the join, by which time that has been taken.
  joining.send('42["join",{"roomId":""}]');
  await joining.takeText();
  server.hostd.child.kill('SIGTERM');
  assert.equal(await witness.closeCode(), 1000);
  server.redis.child.kill('SIGCONT');
  const [event, answer] = JSON.parse((await joining.takeText()).slice(2));
  assert.deepEqual([event, answer.success], ['joinResponse', true]);
  assert.equal(await joining.closeCode(), 1000);
  const end = await within(server.hostd.exited, 'end');
  assert.equal(end.code, 0);
  assert.equal(await server.redis.command('SCARD', `room:${roomId}:sockets`), 0);
  await server.redis.stop();
});

test('clients that do not read, or do not fetch, delay the end no longer than they may', async () => {
  const kTimeout = 1500;
  const { server } = await startDraining({ 'shutdown.timeout': kTimeout });
  const begun = performance.now();
  const { code } = await within(server.hostd.exited, 'end');
  assert.equal(code, 0);
  // Measured from the witness's end on; the rest is what a busy machine may need.
  assert.ok(performance.now() - begun < kTimeout + 2000, 'the bound is the option');
  assert.deepEqual(await server.redis.command('KEYS', 'socket:*'), []);
  await server.redis.stop();
});

test('nobody waits for a client that would need a new connection to fetch its messages', async () => {
  const server = await startServer({ 'shutdown.timeout': 60_000 });
  const roomId = longRoom();
  await createRoom(server, roomId);
  const late = await RawPolling.connect(server); // a connection for each request
  await late.post(`42["join",{"roomId":"${roomId}"}]`);
  const early = await RawWebSocket.connect(server);
  await late.poll();
  assert.equal((await early.join(roomId)).success, true); // `ready` waits for `late`
  early.closeCode();
  await server.stop();
});

test('a WebSocket that is not read is waited for, but not for long', async () => {
  const kTimeout = 1500;
  const server = await startServer({ 'shutdown.timeout': kTimeout });
  const {
    peers: [a, b],
  } = await meet(server, 2);
  b.socket.io.engine.transport.ws._socket.pause();
  const big = 'x'.repeat(200_000);
  for (let i = 0; i < 15; ++i) a.emit('offer', { peerId: b.id, offer: big });
  await a.join('not there'); // answered behind them
  const begun = performance.now();
  const { code } = await server.hostd.stop();
  assert.equal(code, 0);
  const ms = performance.now() - begun;
  assert.ok(ms >= kTimeout - 100, `it was waited for: ${ms} ms`);
  assert.ok(ms < kTimeout + 2000, `not for long: ${ms} ms`);
  assert.deepEqual(await server.redis.command('KEYS', 'socket:*'), []);
  b.socket.close();
  await server.redis.stop();
});

for (const [first, second] of [
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
]) {
  test(`${second} after ${first} sends all that are left away at once`, async () => {
    // 200 clients take a second by themselves.
    const kClients = 200;
    const server = await startServer();
    const clients = [];
    for (let i = 0; i < kClients; ++i) clients.push(await RawWebSocket.connect(server));
    let told = 0;
    const ends = clients.map((ws) => ws.closeCode().then(() => ++told));
    server.hostd.child.kill(first);
    await Promise.race(ends);
    server.hostd.child.kill(second);
    await server.hostd.logged(/at once/);
    const before = told;
    const begun = performance.now();
    await Promise.all(ends);
    const ms = performance.now() - begun;
    assert.ok(before < kClients / 2, `${before} were told before`);
    assert.ok(ms < (kClients - before) * 2.5, `${kClients - before} in ${ms} ms`);
    await server.stop();
  });
}

test('then, too, what waits for a client on polling is delivered', async () => {
  const { server, late, api } = await startDraining();
  server.hostd.child.kill('SIGTERM');
  await server.hostd.logged(/at once/);
  // Its socket is gone; long before the time is up, and long after nothing else is left to do.
  await eventually(
    async () => (await server.redis.command('KEYS', 'socket:*')).length === 0,
    'end of its socket',
  );
  await new Promise((resolve) => setTimeout(resolve, 200)); // what must not happen: that it has ended
  assert.equal((await api.request('GET', '/health')).status, 503);
  const packets = await fetchAll(late);
  assert.equal(packets.length, 2);
  await server.stop();
});

test('a few clients are sent away at once, however much time is given', async () => {
  const server = await startServer({ 'shutdown.drain': 60_000 });
  const clients = await Promise.all(Array.from({ length: 10 }, () => RawWebSocket.connect(server)));
  const ends = Promise.all(clients.map((ws) => ws.closeCode()));
  await server.stop();
  await ends;
});

test('many take the time that is given, not more', async () => {
  const server = await startServer({ 'shutdown.drain': 300 });
  const clients = await Promise.all(
    Array.from({ length: 300 }, () => RawWebSocket.connect(server)),
  );
  const begun = performance.now();
  server.hostd.child.kill('SIGTERM');
  await Promise.all(clients.map((ws) => ws.closeCode()));
  const ms = performance.now() - begun;
  assert.ok(ms > 250 && ms < 1300, `5 ms for each would be 1.5 s: ${ms} ms`);
  await server.stop();
});
