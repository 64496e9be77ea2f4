// The join limit, and whom it counts: client addresses behind trusted and untrusted proxies.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { startHostd, startServer } from '../lib/hostd.mjs';

const kLimited = /^Rate limit exceeded\. Try again in [1-5]s\. Attempts left: 0\.$/;

let server;
before(async () => {
  server = await startServer({ 'limits.join_enabled': true });
});
after(() => server.stop());

const redis = (...args) => server.redis.command(...args);
const connect = (forwardedFor, to = server) =>
  Peer.connect(to, forwardedFor ? { extraHeaders: { 'X-Forwarded-For': forwardedFor } } : {});

// One join by a new client: { response, keys } with the limiter's keys it made.
async function joinOnce(forwardedFor, roomId = longRoom(), to = server) {
  const known = await redis('KEYS', 'ratelimit:join:*');
  const peer = await connect(forwardedFor, to);
  const response = await peer.join(roomId);
  await peer.close();
  const keys = (await redis('KEYS', 'ratelimit:join:*')).filter((key) => !known.includes(key));
  return { response, keys: keys.map((key) => key.slice('ratelimit:join:'.length)) };
}

async function assertLimited(response, roomId) {
  assert.deepEqual([response.success, response.roomId], [false, roomId]);
  assert.match(response.message, kLimited);
}

test('the third attempt within the window is refused, and what Redis holds of it', async () => {
  const roomId = longRoom();
  const key = 'ratelimit:join:198.51.100.1';
  await createRoom(server, roomId);
  for (let count = 1; count <= 2; count++) {
    assert.deepEqual((await joinOnce('198.51.100.1', roomId)).response, joined(roomId));
    assert.equal(await redis('ZCARD', key), count);
    const ttl = await redis('PTTL', key);
    assert.ok(ttl > 0 && ttl <= 5000, `TTL ${ttl}`);
  }
  const members = await redis('ZRANGE', key, 0, -1, 'WITHSCORES');
  assert.match(members[0], /^\d{13}-.+/);
  assert.equal(members[0].split('-')[0], members[1]);

  const { response } = await joinOnce('198.51.100.1', roomId);
  await assertLimited(response, roomId);
  assert.deepEqual((await joinOnce('198.51.100.2', roomId)).response, joined(roomId), 'others may');
});

test('a refused client is not bound', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  for (let count = 0; count < 2; count++) await joinOnce('198.51.100.3');
  const peer = await connect('198.51.100.3');
  await assertLimited(await peer.join(roomId), roomId);
  assert.equal(await redis('EXISTS', `socket:${peer.id}`, `room:${roomId}:sockets`), 0);
  await peer.close();
});

test('attempts count before the room is looked for, from all sockets of an address', async () => {
  for (let count = 0; count < 2; count++) {
    assert.equal((await joinOnce('198.51.100.4')).response.message, 'Room does not exist');
  }
  assert.match((await joinOnce('198.51.100.4')).response.message, kLimited);
});

test('the window slides: attempts older than it no longer count', async () => {
  const key = 'ratelimit:join:198.51.100.5';
  for (let count = 0; count < 3; count++) await joinOnce('198.51.100.5');
  // Instead of waiting for the window to pass, its entries are made older.
  for (const member of await redis('ZRANGE', key, 0, -1))
    await redis('ZINCRBY', key, -6000, member);
  assert.equal((await joinOnce('198.51.100.5')).response.message, 'Room does not exist');
  assert.equal(await redis('ZCARD', key), 1, 'the old ones are removed');
});

test('joining the room it is already in skips the limit', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  const peer = await connect('198.51.100.6');
  for (let count = 0; count < 6; count++) assert.deepEqual(await peer.join(roomId), joined(roomId));
  assert.equal(await redis('ZCARD', 'ratelimit:join:198.51.100.6'), 1);
  await peer.close();
});

test('bound to another room is told before the limit and counts nothing', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  const peer = await connect('198.51.100.7');
  await peer.join(roomId);
  for (let count = 0; count < 4; count++) {
    assert.equal((await peer.join(longRoom())).message, 'Socket is already bound to another room');
  }
  assert.equal(await redis('ZCARD', 'ratelimit:join:198.51.100.7'), 1);
  await peer.close();
});

for (const [name, forwardedFor, key] of [
  ['none', undefined, '127.0.0.1'],
  ['one entry', '203.0.113.1', '203.0.113.1'],
  ['a port', '203.0.113.2:4711', '203.0.113.2'],
  ['the right-most untrusted entry', '6.6.6.6, 203.0.113.3', '203.0.113.3'],
  ['trusted entries at the right', '6.6.6.6,203.0.113.4, 127.0.0.9 , ::1', '203.0.113.4'],
  ['IPv4 in IPv6', '::ffff:203.0.113.5', '203.0.113.5'],
]) {
  test(`X-Forwarded-For with ${name} from a trusted proxy`, async () => {
    await redis('DEL', `ratelimit:join:${key}`);
    assert.deepEqual((await joinOnce(forwardedFor)).keys, [key]);
  });
}

test('hostile X-Forwarded-For never names a key of its own', async () => {
  for (const value of [
    'evil',
    '*',
    '6.6.6.6, evil',
    '999.1.1.1',
    '1.2.3',
    ',,,',
    'x'.repeat(4000),
    '6.6.6.6, fe80::1%eth0',
  ]) {
    const { keys } = await joinOnce(value);
    assert.ok(
      keys.every((key) => key === '127.0.0.1'),
      `${value}: ${keys}`,
    );
  }
});

test('IPv6 clients are limited by /64', async () => {
  const first = await joinOnce('2001:db8:1:2::1');
  assert.equal(first.keys.length, 1);
  assert.match(first.keys[0], /^2001:db8:1:2:/);
  const second = await joinOnce('[2001:db8:1:2:aaaa:bbbb:cccc:dddd]:999');
  assert.deepEqual(second.keys, [], 'the same key');
  assert.match((await joinOnce('2001:0db8:0001:0002::3')).response.message, kLimited);
  assert.equal((await joinOnce('2001:db8:1:3::1')).keys.length, 1, 'the next /64 has its own');
});

test('an untrusted peer is counted by its own address, whatever it says', async () => {
  const strict = await startHostd({
    'redis.url': server.redis.url,
    'limits.join_enabled': true,
    'proxy.trusted': '192.0.2.0/24',
  });
  try {
    await redis('DEL', 'ratelimit:join:127.0.0.1');
    assert.deepEqual((await joinOnce('203.0.113.20', longRoom(), strict)).keys, ['127.0.0.1']);
    assert.deepEqual((await joinOnce('203.0.113.21', longRoom(), strict)).keys, []);
    assert.match((await joinOnce('203.0.113.22', longRoom(), strict)).response.message, kLimited);
  } finally {
    await strict.stop();
  }
});

test('polling clients are counted by the same address', async () => {
  const options = { transports: ['polling'], extraHeaders: { 'X-Forwarded-For': '203.0.113.30' } };
  const peer = await Peer.connect(server, options);
  await peer.join(longRoom());
  await peer.close();
  assert.equal(await redis('ZCARD', 'ratelimit:join:203.0.113.30'), 1);
});

test('twenty joins at once from one address: two succeed', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  const peers = await Promise.all(Array.from({ length: 20 }, () => connect('203.0.113.40')));
  const answers = await Promise.all(peers.map((peer) => peer.join(roomId)));
  assert.equal(answers.filter(({ success }) => success).length, 2);
  assert.equal(await redis('SCARD', `room:${roomId}:sockets`), 2);
  await Promise.all(peers.map((peer) => peer.close()));
});
