// POST /api/leave_room: who is told, what Redis forgets, and that nobody can be thrown out of a room
// from outside of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, longRoom, meet } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { post } from '../lib/http.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const kLeft = { success: true, message: 'Successfully left the room' };

test('leave_room tells everyone, the leaver too, and unbinds it', async () => {
  const {
    roomId,
    peers: [a, b],
  } = await meet(server, 2);
  const { status, json } = await post(server, '/api/leave_room', { roomId, socketId: a.id });
  assert.deepEqual([status, json], [200, kLeft]);
  for (const peer of [a, b])
    assert.deepEqual(await peer.take('peer-disconnected'), { peerId: a.id });
  assert.deepEqual(await server.redis.command('SMEMBERS', `room:${roomId}:sockets`), [b.id]);
  assert.equal(await server.redis.command('EXISTS', `socket:${a.id}`), 0);
  assert.ok(
    (await server.redis.command('TTL', `room:${roomId}`)) > 86390,
    'a room in use keeps its time',
  );

  // The leaver is in no room: it reaches nobody, nothing reaches it, and it may join another one.
  a.emit('offer', { peerId: b.id, from: a.id, offer: 'from outside' });
  a.emit('initiator-online', { roomId });
  b.emit('offer', { peerId: a.id, from: b.id, offer: 'to outside' });
  const other = longRoom();
  await createRoom(server, other);
  assert.equal((await a.join(other)).success, true);
  assert.equal((await b.join(roomId)).success, true);
  a.assertEmpty();
  b.assertEmpty();
  await Promise.all([a.close(), b.close()]);
});

test('leave_room by the last one shortens the time of the room', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(server, 1);
  assert.deepEqual((await post(server, '/api/leave_room', { roomId, socketId: a.id })).json, kLeft);
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: a.id });
  const ttl = await server.redis.command('TTL', `room:${roomId}`);
  assert.ok(ttl > 890 && ttl <= 900, `TTL ${ttl}`);
  assert.equal(await server.redis.command('SCARD', `room:${roomId}:sockets`), 0);
  await a.close();
});

test('leave_room of an unknown room', async () => {
  const { status, json } = await post(server, '/api/leave_room', {
    roomId: longRoom(),
    socketId: 'x',
  });
  assert.deepEqual([status, json], [200, { success: true, message: 'Room does not exist.' }]);
});

test('leave_room with a member missing', async () => {
  for (const body of [{}, { roomId: 'x' }, { socketId: 'x' }, { roomId: '', socketId: '' }]) {
    const { status, json } = await post(server, '/api/leave_room', body);
    assert.deepEqual([status, json], [400, { error: 'Room ID and Socket ID are required' }]);
  }
});

test('leave_room for a socket that is not in that room changes and tells nothing', async () => {
  const {
    roomId,
    peers: [a, b],
  } = await meet(server, 2);
  const {
    roomId: elsewhere,
    peers: [c],
  } = await meet(server, 1);
  for (const socketId of ['VICTIM', c.id, `${a.id}x`, roomId, '*']) {
    assert.deepEqual((await post(server, '/api/leave_room', { roomId, socketId })).json, kLeft);
  }
  await a.receivesOnlyFrom(b);
  await b.receivesOnlyFrom(a);
  assert.equal((await c.join(elsewhere)).success, true);
  c.assertEmpty();
  assert.deepEqual(
    (await server.redis.command('SMEMBERS', `room:${roomId}:sockets`)).sort(),
    [a.id, b.id].sort(),
  );
  assert.equal(await server.redis.command('GET', `socket:${c.id}`), elsewhere);
  assert.ok((await server.redis.command('TTL', `room:${roomId}`)) > 86390);
  await Promise.all([a.close(), b.close(), c.close()]);
});

test('leave_room while offers are under way: none comes behind the news of the end', async () => {
  const {
    roomId,
    peers: [a, b],
    close,
  } = await meet(server, 2);
  const offers = (from, to) => {
    for (let number = 0; number < 500; number++)
      from.emit('offer', { peerId: to.id, offer: number });
  };
  offers(a, b);
  offers(b, a);
  const leaving = post(server, '/api/leave_room', { roomId, socketId: a.id });
  offers(a, b);
  offers(b, a);
  assert.deepEqual((await leaving).json, kLeft);
  for (const peer of [a, b]) await peer.take('peer-disconnected');
  // What came before the end is whole and in order; nothing has come since.
  assert.equal((await b.join(roomId)).success, true);
  assert.equal((await a.join(longRoom())).message, 'Room does not exist');
  for (const { inbox } of [a, b]) {
    const numbers = inbox.messages.map(({ event, args }) => event === 'offer' && args[0].offer);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index % 500),
    );
  }
  await close();
});
