// What one address may do within a window, at all nodes together: rooms created and asked about,
// wrong guesses, referrers, ICE servers, and sessions.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { startHostd, startServer } from '../lib/hostd.mjs';
import { get, post } from '../lib/http.mjs';
import { eventually } from '../lib/wait.mjs';

const kLimits = {
  'limits.create_count': 3,
  'limits.create_window': 100,
  'limits.check_count': 5,
  'limits.check_window': 100,
  'limits.guess_count': 4,
  'limits.guess_window': 100,
  'limits.track_count': 2,
  'limits.track_window': 100,
  'limits.ice_count': 2,
  'limits.ice_window': 100,
  'turn.urls': 'turn:turn.example',
  'turn.secret': 'of the TURN server',
  'limits.connect_count': 4,
  'limits.connect_window': 100,
};

let server; // and a second node
let other;
before(async () => {
  server = await startServer(kLimits);
  other = await startHostd({ 'redis.url': server.redis.url, ...kLimits });
});
after(async () => {
  await other.stop();
  await server.stop();
});

let last = 0;
const newAddress = () => `198.51.100.${++last}`;
const from = (address) => ({ 'X-Forwarded-For': address });

function assertLimited({ status, headers, json }) {
  assert.equal(status, 429);
  const seconds = Number(headers['retry-after']);
  assert.ok(seconds > 90 && seconds <= 101, `Retry-After ${headers['retry-after']}`);
  assert.deepEqual(json, { error: `Rate limit exceeded. Try again in ${seconds}s.` });
}

// Does something `count` times, at the two nodes in turn, and then once too often at each.
async function useUp(count, request) {
  for (let i = 0; i < count; i++) {
    const { status, text } = await request(i % 2 ? other : server);
    assert.equal(status, 200, text);
  }
  for (const node of [server, other]) assertLimited(await request(node));
}

test('create_room and get_room count together, at all nodes', async () => {
  const address = newAddress();
  let count = 0;
  await useUp(3, (node) =>
    count++ === 1
      ? get(node, '/api/get_room', from(address))
      : post(node, '/api/create_room', { roomId: longRoom() }, from(address)),
  );
  assertLimited(await get(other, '/api/get_room', from(address)));
  assert.equal((await get(other, '/api/get_room', from(newAddress()))).status, 200);
});

test('check_room of rooms that are there', async () => {
  const [address, roomId] = [newAddress(), longRoom()];
  await createRoom(server, roomId);
  await useUp(5, (node) => post(node, '/api/check_room', { roomId }, from(address)));
});

test('an IPv6 client is counted by its /64', async () => {
  let count = 0;
  await useUp(3, (node) =>
    post(node, '/api/create_room', { roomId: longRoom() }, from(`2001:db8::${++count}`)),
  );
});

test('set_track', async () => {
  const address = newAddress();
  const body = { ref: 'x', timestamp: Date.now() };
  await useUp(2, (node) => post(node, '/api/set_track', body, from(address)));
});

test('ice_servers', async () => {
  const address = newAddress();
  await useUp(2, (node) => get(node, '/api/ice_servers', from(address)));
  assert.equal((await get(other, '/api/ice_servers', from(newAddress()))).status, 200);
});

test('after too many wrong guesses an address is told nothing, at all nodes', async () => {
  const [address, roomId] = [newAddress(), longRoom()];
  await createRoom(server, roomId);
  const connect = (node) => Peer.connect(node, { extraHeaders: from(address) });
  const member = await connect(other);
  assert.deepEqual(await member.join(roomId), joined(roomId));

  const guesser = await connect(server);
  for (let count = 0; count < 2; count++)
    assert.equal((await guesser.join(longRoom())).message, 'Room does not exist');
  const { json } = await post(other, '/api/check_room', { roomId: longRoom() }, from(address));
  assert.deepEqual(json, { available: true });
  await post(other, '/api/leave_room', { roomId, socketId: 'x'.repeat(20) }, from(address));

  const late = await connect(other);
  for (const peer of [guesser, late]) {
    for (const name of [roomId, longRoom()]) {
      const { message, ...rest } = await peer.join(name);
      assert.deepEqual(rest, { success: false, roomId: name });
      assert.match(message, /^Rate limit exceeded\. Try again in \d+s\. Attempts left: 0\.$/);
    }
  }
  for (const node of [server, other]) {
    for (const name of [roomId, longRoom()]) {
      assertLimited(await post(node, '/api/check_room', { roomId: name }, from(address)));
      assertLimited(await post(node, '/api/create_room', { roomId: name }, from(address)));
      const body = { roomId: name, socketId: member.id };
      assertLimited(await post(node, '/api/leave_room', body, from(address)));
    }
  }
  // Nothing has happened to who is in a room, and other addresses go on.
  assert.deepEqual(await member.join(roomId), joined(roomId));
  const friend = await Peer.connect(server, { extraHeaders: from(newAddress()) });
  assert.deepEqual(await friend.join(roomId), joined(roomId));
  await member.take('ready');
  await Promise.all([member, guesser, late, friend].map((peer) => peer.close()));
});

test('leave_room answers who guesses ids just as others, and only so often', async () => {
  const [address, roomId] = [newAddress(), longRoom()];
  await createRoom(server, roomId);
  const member = await Peer.connect(server, { extraHeaders: from(newAddress()) });
  await member.join(roomId);
  const leave = (socketId) => post(other, '/api/leave_room', { roomId, socketId }, from(address));
  const near = `${member.id.slice(0, -1)}${member.id.endsWith('x') ? 'y' : 'x'}`;
  for (const guess of [near, 'x', member.id.toLowerCase() + '_', `${member.id} `]) {
    const { status, json } = await leave(guess);
    assert.deepEqual(
      [status, json],
      [200, { success: true, message: 'Successfully left the room' }],
    );
  }
  assertLimited(await leave(member.id));
  assert.deepEqual(await member.join(roomId), joined(roomId));
  member.assertEmpty();
  await member.close();
});

for (const transports of [['polling'], ['websocket']]) {
  test(`sessions over ${transports}: refused where it is known, without waiting for Redis`, async () => {
    const address = newAddress();
    const key = `ratelimit:connect:${address}`;
    const connect = (node) =>
      Peer.connect(node, { transports, extraHeaders: from(address), reconnection: false });
    const peers = [];
    for (let count = 0; count < 4; count++) peers.push(await connect(count % 2 ? other : server));
    await eventually(
      async () => (await server.redis.command('HGET', key, 'count')) === '4',
      'counting',
    );
    for (const node of [server, other]) {
      // One more is let in while Redis is asked, which tells the node.
      peers.push(await connect(node));
      await eventually(async () => {
        const path = `/socket.io/?EIO=4&transport=polling`;
        const answer = await get(node, path, from(address));
        if (answer.status === 200) return false;
        assertLimited(answer);
        return true;
      }, 'refusal');
      await assert.rejects(connect(node));
    }
    assert.equal(
      await server.redis.command('HGET', key, 'count'),
      '4',
      'refused ones do not count',
    );
    peers.push(await Peer.connect(server, { extraHeaders: from(newAddress()) }));
    await Promise.all(peers.map((peer) => peer.close()));
  });
}

test('without Redis nothing is limited by what it would have said', async () => {
  const alone = await startServer(kLimits);
  try {
    await alone.redis.stop();
    const { status, json } = await post(alone, '/api/create_room', { roomId: longRoom() });
    assert.deepEqual([status, json], [500, { error: 'Internal server error' }]);
    for (let count = 0; count < 8; count++) await (await Peer.connect(alone)).close();
  } finally {
    await alone.hostd.stop();
  }
});
