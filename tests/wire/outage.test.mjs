// Redis slow, gone and back: clear errors within the deadlines, no hang, local relays go on.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createRoom, joined, longRoom, meet, Peer } from '../lib/clients.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { get, post } from '../lib/http.mjs';
import { startRedis } from '../lib/redis.mjs';
import { eventually } from '../lib/wait.mjs';

const kBroken = { error: 'Internal server error' };

let redis;
let server;
before(async () => {
  redis = await startRedis();
  server = await startHostd({
    'redis.url': redis.url,
    'redis.command_timeout': 400,
    'redis.connect_timeout': 400,
    'limits.ice_count': 1000,
    'turn.urls': 'stun:stun.example',
  });
});
after(async () => {
  await server.stop();
  await redis.stop();
});

async function assertServedWithout(members, newcomer) {
  for (const [path, body] of [
    ['/api/create_room', { roomId: longRoom() }],
    ['/api/check_room', { roomId: 'x' }],
    ['/api/leave_room', { roomId: 'x', socketId: 'y' }],
  ]) {
    const { status, json } = await post(server, path, body);
    assert.deepEqual([status, json], [500, kBroken], path);
  }
  for (const path of ['/api/get_room', '/api/ice_servers']) {
    const { status, json } = await get(server, path);
    assert.deepEqual([status, json], [500, kBroken], path);
  }
  const tracked = await post(server, '/api/set_track', { ref: 'x', timestamp: Date.now() });
  assert.deepEqual(
    [tracked.status, tracked.json],
    [500, { success: false, error: 'Failed to track referrer' }],
  );

  const { success, message, error } = await newcomer.join(longRoom());
  assert.deepEqual([success, message], [false, 'Server error while joining room']);
  assert.equal(typeof error, 'string');
  assert.doesNotMatch(error, /redis\.sock|signalbox-test/, 'no address of ours is told');

  const [a, b] = members;
  await a.receivesOnlyFrom(b);
  await b.receivesOnlyFrom(a);

  assert.equal((await get(server, '/health')).status, 200);
  const { status, json } = await get(server, '/health/detailed');
  assert.deepEqual(
    [status, json.status, json.dependencies.redis.status],
    [503, 'unhealthy', 'disconnected'],
  );
  assert.ok(Array.isArray(json.errors) && json.errors.length > 0);
}

const connected = () =>
  eventually(
    async () => (await get(server, '/health/detailed')).status === 200,
    'connection to Redis',
  );

async function assertRecovered(newcomer) {
  await connected();
  const roomId = longRoom();
  await createRoom(server, roomId);
  assert.deepEqual(await newcomer.join(roomId), joined(roomId));
  const peer = await Peer.connect(server);
  assert.deepEqual(await peer.join(roomId), joined(roomId));
  assert.deepEqual(await newcomer.take('ready'), { peerId: peer.id });
  await peer.receivesOnlyFrom(newcomer);
  assert.equal(await redis.command('SCARD', `room:${roomId}:sockets`), 2);
  await Promise.all([peer.close(), newcomer.close()]);
}

beforeEach(connected);

test('Redis stands still, then goes on', async () => {
  const { peers, close } = await meet(server, 2);
  const newcomer = await Peer.connect(server);
  redis.child.kill('SIGSTOP');
  try {
    await assertServedWithout(peers, newcomer);
  } finally {
    redis.child.kill('SIGCONT');
  }
  await assertRecovered(newcomer);
  await close();
});

test('Redis is killed, then started anew', async () => {
  const { peers, close } = await meet(server, 2);
  const newcomer = await Peer.connect(server);
  await redis.kill();
  await assertServedWithout(peers, newcomer);
  redis = await startRedis({ directory: redis.directory });
  await assertRecovered(newcomer);
  await close();
});

test('Redis is killed while calls are under way: each is answered', async () => {
  const calls = Array.from({ length: 200 }, () =>
    post(server, '/api/create_room', { roomId: longRoom() }),
  );
  await redis.kill();
  for (const { status } of await Promise.all(calls))
    assert.ok([200, 500].includes(status), `${status}`);
  redis = await startRedis({ directory: redis.directory });
  await assertRecovered(await Peer.connect(server));
});

test('clients may disconnect while Redis is away', async () => {
  const {
    peers: [a, b],
  } = await meet(server, 2);
  await redis.kill();
  await a.close();
  await b.close();
  assert.equal((await get(server, '/health')).status, 200);
  redis = await startRedis({ directory: redis.directory });
  await assertRecovered(await Peer.connect(server));
});
