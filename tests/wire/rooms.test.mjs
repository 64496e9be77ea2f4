// Room ids and the calls that create and look up rooms.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { joined, longRoom, Peer, shortRoom } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get, post, request } from '../lib/http.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const kCreated = { success: true, message: 'create room success' };
const kTaken = { success: false, message: 'roomId is already exists' };
const kAgain = { success: true, message: 'room exists (rejoin allowed)' };
const kMissing = { error: 'Room ID is required' };

const create = (roomId) => post(server, '/api/create_room', { roomId });
const redis = (...args) => server.redis.command(...args);

async function assertNewRoom(roomId) {
  assert.equal(await redis('TYPE', `room:${roomId}`), 'hash');
  const createdAt = await redis('HGET', `room:${roomId}`, 'created_at');
  assert.match(createdAt, /^\d{13}$/);
  assert.ok(Math.abs(Number(createdAt) - Date.now()) < 5000);
  const ttl = await redis('TTL', `room:${roomId}`);
  assert.ok(ttl > 86390 && ttl <= 86400, `TTL ${ttl}`);
}

for (const roomId of [longRoom(), shortRoom()]) {
  test(`create_room of an absent room with ${roomId.length} characters`, async () => {
    const { status, json, headers } = await create(roomId);
    assert.deepEqual([status, json], [200, kCreated]);
    assert.match(headers['content-type'], /^application\/json; *charset=utf-8$/i);
    await assertNewRoom(roomId);
    assert.equal(await redis('EXISTS', `room:${roomId}:sockets`), 0);
  });
}

for (const [length, expected] of [
  [1, kTaken],
  [7, kTaken],
  [8, kAgain],
  [64, kAgain],
]) {
  test(`create_room of a present room with ${length} characters`, async () => {
    const roomId = 'é'.repeat(length); // characters, not bytes
    assert.deepEqual((await create(roomId)).json, kCreated);
    await redis('HSET', `room:${roomId}`, 'created_at', '123');
    await redis('EXPIRE', `room:${roomId}`, '1000');
    const { status, json } = await create(roomId);
    assert.deepEqual([status, json], [200, expected]);
    assert.equal(await redis('HGET', `room:${roomId}`, 'created_at'), '123');
    assert.ok((await redis('TTL', `room:${roomId}`)) <= 1000, 'its time to live is untouched');
  });
}

test('check_room', async () => {
  const roomId = longRoom();
  const check = async () => {
    const { status, json } = await post(server, '/api/check_room', { roomId });
    return [status, json];
  };
  assert.deepEqual(await check(), [200, { available: true }]);
  assert.equal(await redis('EXISTS', `room:${roomId}`), 0, 'asking creates nothing');
  await create(roomId);
  assert.deepEqual(await check(), [200, { available: false }]);
  await redis('HDEL', `room:${roomId}`, 'created_at');
  await redis('HSET', `room:${roomId}`, 'other', '1');
  assert.deepEqual(await check(), [200, { available: true }], 'existence is the member created_at');
});

test('a missing or empty roomId', async () => {
  for (const path of ['/api/create_room', '/api/check_room']) {
    for (const body of [{}, { roomId: '' }, { RoomId: 'wrongcase' }, { roomId: null }]) {
      const { status, json } = await post(server, path, body);
      assert.deepEqual([status, json], [400, kMissing], `${path} ${JSON.stringify(body)}`);
    }
  }
});

const kGood = [
  'x',
  '4821',
  'x'.repeat(64),
  '😀'.repeat(64),
  'комната',
  '部屋部屋部屋部屋',
  '__proto__',
  'constructor',
  '*',
  '%s%n',
  '{}',
  '"\'',
  '\\',
  '../..',
  '$(id)',
];
for (const roomId of kGood) {
  test(`roomId ${JSON.stringify(roomId.slice(0, 20))} (${[...roomId].length}) is a name like any other`, async () => {
    const { status, json } = await create(roomId);
    assert.deepEqual([status, json], [200, kCreated]);
    await assertNewRoom(roomId);
    assert.deepEqual((await post(server, '/api/check_room', { roomId })).json, {
      available: false,
    });
  });
}

test('a room whose name looks like the key of another one is a room of its own', async () => {
  const roomId = longRoom();
  const lookalike = `${roomId}:sockets`;
  for (const each of [lookalike, roomId]) assert.deepEqual((await create(each)).json, kCreated);
  const peers = [await Peer.connect(server), await Peer.connect(server)];
  assert.deepEqual(await peers[0].join(roomId), joined(roomId));
  assert.deepEqual(await peers[1].join(lookalike), joined(lookalike));
  peers[0].assertEmpty();
  assert.deepEqual(await redis('SMEMBERS', `room:${roomId}:sockets`), [peers[0].id]);
  for (const each of [lookalike, roomId]) assert.deepEqual((await create(each)).json, kAgain);
  await Promise.all(peers.map((peer) => peer.close()));
});

const kBad = [
  'x'.repeat(65),
  '😀'.repeat(65),
  'x'.repeat(90000),
  ' ',
  'a b',
  ' lead',
  'trail ',
  'a\tb',
  'a\r\nb',
  'a\0b',
  '\0',
  'x\u001b',
  'x\u007f',
  'x\u0085',
  'x\u00a0',
  'x\u2028',
  'x\u3000',
  'x\ud800',
  5,
  0,
  1.5,
  true,
  false,
  {},
  { a: 1 },
  [],
  ['q'],
];
for (const roomId of kBad) {
  test(`roomId ${JSON.stringify(roomId).slice(0, 20)} is refused`, async () => {
    const known = await redis('KEYS', '*');
    for (const path of ['/api/create_room', '/api/check_room', '/api/leave_room']) {
      const { status, json } = await post(server, path, { roomId, socketId: 'x' });
      assert.equal(status, 400, path);
      assert.equal(typeof json?.error, 'string');
    }
    const fresh = (await redis('KEYS', '*')).filter((key) => !known.includes(key));
    assert.deepEqual(fresh, [], 'nothing is created');
  });
}

test('invalid UTF-8 in a roomId is refused', async () => {
  const body = Buffer.concat([
    Buffer.from('{"roomId":"x'),
    Buffer.from([0xff, 0xc0]),
    Buffer.from('"}'),
  ]);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
  const answer = await request(server, 'POST', '/api/create_room', { body, headers });
  assert.equal(answer.status, 400);
});

test('twenty clients create the same short id at once: one succeeds', async () => {
  for (let round = 0; round < 5; round++) {
    const roomId = shortRoom();
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(roomId)));
    const count = (expected) =>
      answers.filter(({ json }) => JSON.stringify(json) === JSON.stringify(expected)).length;
    assert.deepEqual([count(kCreated), count(kTaken)], [1, 19]);
  }
});

test('get_room gives a free id of four digits and creates its room', async () => {
  const ids = new Set();
  for (let count = 0; count < 20; count++) {
    const { status, json } = await get(server, '/api/get_room');
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json), ['roomId']);
    assert.match(json.roomId, /^\d{4}$/);
    await assertNewRoom(json.roomId);
    ids.add(json.roomId);
  }
  assert.equal(ids.size, 20, 'no id is given twice');
});

test('get_room falls back to letters when all numbers are taken', async () => {
  const taken = Array.from({ length: 10000 }, (_, number) => String(number).padStart(4, '0'));
  await server.redis.pipeline(taken.map((id) => ['HSET', `room:${id}`, 'created_at', '123']));
  const { status, json } = await get(server, '/api/get_room');
  assert.equal(status, 200);
  assert.match(json.roomId, /^[A-Za-z0-9]{4}$/);
  assert.doesNotMatch(json.roomId, /^\d{4}$/);
  await assertNewRoom(json.roomId);
  assert.deepEqual(
    await redis('HGETALL', 'room:1234'),
    ['created_at', '123'],
    'others stay as they are',
  );
  await server.redis.pipeline(taken.map((id) => ['DEL', `room:${id}`]));
});
