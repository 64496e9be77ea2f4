// Clients that stop reading, or stop in the middle of a message: they are given up, their room is told,
// and nothing is kept for them.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { joined, longRoom, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { kBinary, RawConnection, RawPolling, RawWebSocket } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

const kPing = 9;
const kPong = 10;
const kOffer = 'x'.repeat(900000);

for (const [why, options, offers] of [
  // Both kernels' buffers hold some 10 MB; what is sent goes far beyond them.
  ['too much waits for it', { 'engineio.max_buffered': 1000000 }, 40],
  [
    'too much waits for all',
    { 'engineio.max_buffered': 100000000, 'engineio.max_buffered_total': 8000000 },
    40,
  ],
  [
    'its pong is missing, while much waits for it',
    {
      'engineio.max_buffered': 100000000,
      'engineio.ping_interval': 1000,
      'engineio.ping_timeout': 3000, // the sender's pong stands behind 22 MB
    },
    25,
  ],
]) {
  test(`a client that stopped reading is given up when ${why}`, async () => {
    const server = await startServer(options);
    const descriptors = () => readdirSync(`/proc/${server.hostd.pid}/fd`).length;
    const roomId = longRoom();
    await server.redis.command('HSET', `room:${roomId}`, 'created_at', '1');
    const peer = await Peer.connect(server);
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    const calm = descriptors();

    const reader = await RawWebSocket.connect(server);
    assert.deepEqual(await reader.join(roomId), joined(roomId));
    assert.deepEqual(await peer.take('ready'), { peerId: reader.id });
    assert.equal(descriptors(), calm + 1);
    reader.connection.socket.pause();
    for (let i = 0; i < offers; i++) peer.emit('offer', { peerId: reader.id, offer: kOffer });

    assert.deepEqual(await peer.take('peer-disconnected'), { peerId: reader.id });
    await eventually(() => descriptors() === calm, 'the end of its connection', 15000);
    await peer.close();
    reader.connection.socket.destroy();
    await server.stop();
  });
}

test('what waited for readers who were given up counts no longer', async () => {
  const server = await startServer({
    'engineio.max_buffered': 100000000,
    'engineio.max_buffered_total': 40000000,
  });
  const roomId = longRoom();
  await server.redis.command('HSET', `room:${roomId}`, 'created_at', '1');
  const peer = await Peer.connect(server);
  assert.deepEqual(await peer.join(roomId), joined(roomId));
  const enter = async () => {
    const reader = await RawWebSocket.connect(server);
    assert.deepEqual(await reader.join(roomId), joined(roomId));
    assert.deepEqual(await peer.take('ready'), { peerId: reader.id });
    reader.connection.socket.pause();
    return reader;
  };
  const flood = (reader, offers) => {
    for (let i = 0; i < offers; i++) peer.emit('offer', { peerId: reader.id, offer: kOffer });
  };

  for (let i = 0; i < 4; i++) {
    const reader = await enter();
    flood(reader, 40);
    assert.deepEqual(await peer.take('peer-disconnected'), { peerId: reader.id });
    reader.connection.socket.destroy();
  }
  // Some of this waits in the server, too, but less than half of what there is for all.
  const late = await enter();
  flood(late, 12);
  late.connection.socket.resume();
  for (let i = 0; i < 12; i++) assert.match(await late.takeText(), /^42\["offer",/);
  late.connection.socket.destroy();
  await peer.close();
  await server.stop();
});

// 0.9 MB of something that is not complete, and its end.
for (const [what, begin, complete] of [
  [
    'a message',
    (client) => client.sendFrame({ fin: false, payload: `42["offer",{"x":"${kOffer}` }),
    (client) => client.sendFrame({ opcode: 0, payload: '"}]' }),
  ],
  [
    'attachments',
    (client) => client.send(`451-["offer",{"_placeholder":true,"num":0},"${kOffer}"]`),
    (client) => client.sendFrame({ opcode: kBinary, payload: 'x' }),
  ],
]) {
  test(`a client may not leave ${what} incomplete when others have done so`, async () => {
    const server = await startServer({ 'engineio.max_buffered_total': 4000000 });
    const roomId = longRoom();
    await server.redis.command('HSET', `room:${roomId}`, 'created_at', '1');
    const start = async () => {
      const client = await RawWebSocket.connect(server);
      begin(client);
      client.sendFrame({ opcode: kPing });
      return client;
    };
    const arrived = async (client) => assert.equal((await client.take()).opcode, kPong);

    const [first, second] = [await start(), await start()];
    await arrived(first);
    await arrived(second);
    const third = await start(); // half of what is left is 0.65 MB
    await third.closeCode();
    complete(first);
    assert.deepEqual(await first.join(roomId), joined(roomId));

    const fourth = await start();
    await arrived(fourth);
    for (const client of [first, second, third, fourth]) client.connection.socket.destroy();
    await server.stop();
  });
}

for (const framing of [`Content-Length: ${kOffer.length}`, 'Transfer-Encoding: chunked']) {
  test(`bodies that are not complete have one bound (${framing.split(':')[0]})`, async () => {
    const server = await startServer({ 'engineio.max_buffered_total': 8000000 });
    const chunked = framing.startsWith('Transfer');
    const post = async (polling) => {
      const connection = await RawConnection.open(server.port);
      connection.write(`POST ${polling.path} HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`);
      if (chunked) connection.write(`${kOffer.length.toString(16)}\r\n`);
      connection.write(kOffer.slice(1));
      return connection;
    };
    const posts = [];
    for (let i = 0; i < 40; i++) posts.push(await post(await RawPolling.connect(server)));
    const refused = [];
    for (const connection of posts) {
      const note = (answer) => answer && refused.push(answer.status);
      connection.answer().then(note, () => {}); // those that are kept get none
    }
    await eventually(() => refused.length >= 32, 'no more than 8 MB');
    assert.deepEqual(new Set(refused), new Set([503]));
    assert.ok(refused.length < 40, 'some are kept');
    assert.equal((await get(server, '/health')).status, 200);

    for (const connection of posts) connection.close();
    const polling = await RawPolling.connect(server);
    const served = async () => {
      const connection = await post(polling);
      connection.write(chunked ? 'x\r\n0\r\n\r\n' : 'x');
      const answer = await connection.answer();
      connection.close();
      return answer?.status === 400; // it is no packet
    };
    await eventually(served, 'room again');
    await server.stop();
  });
}

test('who holds all that may be kept shuts out nobody who wants little', async () => {
  const server = await startServer({ 'engineio.max_buffered_total': 1_000_000 });
  const holders = [];
  // Each leaves out the last attachment of an event; halves of what is left, down to nothing.
  for (let size = 490_000; size > 1; size = Math.floor(size / 2)) {
    const holder = await RawWebSocket.connect(server);
    holder.send('452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    holder.sendFrame({ opcode: kBinary, payload: Buffer.alloc(size) });
    holders.push(holder);
  }
  const polling = await RawPolling.connect(server);
  const roomId = longRoom();
  await server.redis.command('HSET', `room:${roomId}`, 'created_at', '1');
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  assert.match(await polling.take(), /"success":true/);
  for (const holder of holders) holder.close();
  await server.stop();
});
