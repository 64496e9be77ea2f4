// Rooms with a secret and a capacity of their own: who gets in, what is kept, and that nobody who
// does not know the secret learns or changes anything.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, Peer, shortRoom } from '../lib/clients.mjs';
import { startHostd, startServer } from '../lib/hostd.mjs';
import { post } from '../lib/http.mjs';

let server; // and a second node
let other;
before(async () => {
  server = await startServer({ 'limits.room_size': 5 });
  other = await startHostd({ 'redis.url': server.redis.url, 'limits.room_size': 5 });
});
after(async () => {
  await other.stop();
  await server.stop();
});

const kCreated = { success: true, message: 'create room success' };
const kTaken = { success: false, message: 'roomId is already exists' };
const create = (body) => post(server, '/api/create_room', body);
const refused = (roomId, message) => ({ success: false, message, roomId });
const kWrong = 'The secret of the room is missing or wrong';

async function join(peer, roomId, secret) {
  peer.emit('join', { roomId, secret });
  return peer.take('joinResponse');
}

test('a room with a secret is joined with it only, at every node', async () => {
  const [roomId, secret] = [longRoom(), 'Sesam, öffne dich \u{1F511}'];
  assert.deepEqual((await create({ roomId, secret })).json, kCreated);
  const peers = [await Peer.connect(server), await Peer.connect(other)];
  for (const peer of peers) {
    for (const wrong of [undefined, 'x', `${secret} `, secret.slice(1), roomId, '0'])
      assert.deepEqual(await join(peer, roomId, wrong), refused(roomId, kWrong));
  }
  assert.equal(await server.redis.command('EXISTS', `room:${roomId}:sockets`), 0);
  assert.equal(await server.redis.command('EXISTS', `socket:${peers[0].id}`), 0);
  for (const peer of peers) assert.deepEqual(await join(peer, roomId, secret), joined(roomId));
  assert.deepEqual(await peers[0].take('ready'), { peerId: peers[1].id });
  // Who is in needs none any more.
  assert.deepEqual(await peers[0].join(roomId), joined(roomId));
  await Promise.all(peers.map((peer) => peer.close()));
});

test('what Redis keeps of a secret is salted, and neither it nor its digest', async () => {
  const kept = new Set();
  for (let count = 0; count < 3; count++) {
    const roomId = longRoom();
    await create({ roomId, secret: 'the same' });
    const text = await server.redis.command('HGET', `room:${roomId}`, 'secret');
    assert.match(text, /^[\w-]{22}:[0-9a-f]{40}$/);
    kept.add(text.split(':')[0]).add(text.split(':')[1]);
    assert.ok((await server.redis.command('TTL', `room:${roomId}`)) > 86390);
  }
  assert.equal(kept.size, 6);
  // The name of the room is part of it: what is kept of one opens no other.
  const [a, b] = [longRoom(), longRoom()];
  await create({ roomId: a, secret: 'the same' });
  await create({ roomId: b, secret: 'another' });
  const moved = await server.redis.command('HGET', `room:${a}`, 'secret');
  await server.redis.command('HSET', `room:${b}`, 'secret', moved);
  const peer = await Peer.connect(server);
  assert.deepEqual(await join(peer, b, 'the same'), refused(b, kWrong));
  await peer.close();
});

test('creating a room again neither learns nor changes its secret', async () => {
  for (const roomId of [longRoom(), shortRoom()]) {
    assert.deepEqual((await create({ roomId, secret: 'first' })).json, kCreated);
    const before = await server.redis.command('HGETALL', `room:${roomId}`);
    for (const body of [
      { roomId, secret: 'first' },
      { roomId, secret: 'second' },
      { roomId, capacity: 2 },
    ])
      assert.deepEqual((await create(body)).json, kTaken, JSON.stringify(body));
    const { json } = await create({ roomId });
    assert.equal(json.success, roomId.length >= 8, 'as ever for old clients');
    assert.deepEqual(await server.redis.command('HGETALL', `room:${roomId}`), before);
  }
});

test('a secret does not make a room of somebody else private', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  assert.deepEqual((await create({ roomId, secret: 'mine' })).json, kTaken);
  const peer = await Peer.connect(server);
  assert.deepEqual(await join(peer, roomId, 'mine'), refused(roomId, kWrong));
  assert.deepEqual(await peer.join(roomId), joined(roomId));
  await peer.close();
});

test('a room with a capacity takes so many, at all nodes together', async () => {
  const roomId = longRoom();
  assert.deepEqual((await create({ roomId, capacity: 2 })).json, kCreated);
  const peers = [await Peer.connect(server), await Peer.connect(other), await Peer.connect(other)];
  for (const peer of peers.slice(0, 2)) assert.deepEqual(await peer.join(roomId), joined(roomId));
  assert.deepEqual(await peers[2].join(roomId), refused(roomId, 'Room is full'));
  assert.deepEqual(await peers[0].join(roomId), joined(roomId), 'who is in may join again');
  await peers[0].close();
  await peers[1].take('peer-disconnected');
  assert.deepEqual(await peers[2].join(roomId), joined(roomId));
  await Promise.all([peers[1].close(), peers[2].close()]);
});

test('a secret or a capacity that cannot be makes no room', async () => {
  const roomId = longRoom();
  for (const secret of ['', 'x'.repeat(129), '\u{1F511}'.repeat(129), 7, null, true, {}, ['x']]) {
    const { status, json } = await create({ roomId, secret });
    assert.deepEqual(
      [status, json],
      [400, { error: 'secret must be a string of 1 to 128 characters' }],
      JSON.stringify(secret),
    );
  }
  for (const capacity of [0, 1, 6, -2, 2.5, 1e99, '3', null, {}, 18446744073709551618]) {
    const { status, json } = await create({ roomId, capacity });
    assert.deepEqual(
      [status, json],
      [400, { error: 'capacity must be an integer from 2 to 5' }],
      JSON.stringify(capacity),
    );
  }
  assert.equal(await server.redis.command('EXISTS', `room:${roomId}`), 0);
  for (const body of [
    { roomId, secret: '\u{1F511}'.repeat(128), capacity: 5 },
    { roomId: longRoom(), secret: 'a\0b', capacity: 2 },
  ])
    assert.deepEqual((await create(body)).json, kCreated);

  const peer = await Peer.connect(server);
  for (const secret of ['', 'x'.repeat(129), 7, null, true, {}, ['x']]) {
    const rule = 'secret must be a string of 1 to 128 characters';
    assert.deepEqual(await join(peer, roomId, secret), refused(roomId, rule));
  }
  await peer.close();
});

test('wrong secrets are guesses', async () => {
  const strict = await startHostd({ 'redis.url': server.redis.url, 'limits.guess_count': 2 });
  const roomId = longRoom();
  await create({ roomId, secret: 'right' });
  const peer = await Peer.connect(strict);
  for (const secret of [undefined, 'wrong'])
    assert.deepEqual(await join(peer, roomId, secret), refused(roomId, kWrong));
  for (const secret of ['wrong', 'right'])
    assert.match((await join(peer, roomId, secret)).message, /^Rate limit exceeded\. /);
  await peer.close();
  await strict.stop();
});
