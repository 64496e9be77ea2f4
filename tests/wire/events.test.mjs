// The events of the main namespace, row by row: who receives what, who does not, and what Redis holds.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRoom, joined, longRoom, meet, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const redis = (...args) => server.redis.command(...args);
const members = async (roomId) => (await redis('SMEMBERS', `room:${roomId}:sockets`)).sort();
const ids = (...peers) => peers.map((peer) => peer.id).sort();

for (const transports of [['websocket'], ['polling']]) {
  describe(`by ${transports}`, () => {
    const meeting = (count) => meet(server, count, { transports });

    test('join: binds, refreshes the time of the room, tells the others', async () => {
      const roomId = longRoom();
      await createRoom(server, roomId);
      await redis('EXPIRE', `room:${roomId}`, 1000);
      const {
        peers: [a, b, c],
        close,
      } = await meet(server, 3, { transports, roomId });
      assert.deepEqual(await members(roomId), ids(a, b, c));
      for (const [key, low, high] of [
        [`room:${roomId}`, 86390, 86400],
        [`room:${roomId}:sockets`, 86390, 86400],
        [`socket:${a.id}`, 89990, 90000],
      ]) {
        const ttl = await redis('TTL', key);
        assert.ok(ttl > low && ttl <= high, `${key}: ${ttl}`);
      }
      assert.equal(await redis('GET', `socket:${a.id}`), roomId);
      await c.receivesOnlyFrom(a);
      await close();
    });

    test('join of a room that does not exist', async () => {
      const roomId = longRoom();
      const peer = await Peer.connect(server, { transports });
      assert.deepEqual(await peer.join(roomId), {
        success: false,
        message: 'Room does not exist',
        roomId,
      });
      assert.equal(
        await redis('EXISTS', `room:${roomId}`, `room:${roomId}:sockets`, `socket:${peer.id}`),
        0,
      );
      await peer.close();
    });

    test('join of another room while bound', async () => {
      const {
        roomId,
        peers: [a, b],
        close,
      } = await meeting(2);
      const {
        roomId: other,
        peers: [c],
        close: closeOther,
      } = await meeting(1);
      const message = 'Socket is already bound to another room';
      assert.deepEqual(await a.join(other), { success: false, message, roomId: other });
      const absent = longRoom();
      assert.deepEqual(await a.join(absent), { success: false, message, roomId: absent });
      assert.deepEqual(await members(other), ids(c));
      assert.deepEqual(await members(roomId), ids(a, b));
      assert.equal(await redis('GET', `socket:${a.id}`), roomId);
      assert.deepEqual(await c.join(other), joined(other));
      c.assertEmpty();
      await b.receivesOnlyFrom(a);
      await Promise.all([close(), closeOther()]);
    });

    test('join of the room it is in: succeeds, refreshes, sends ready again', async () => {
      const {
        roomId,
        peers: [a, b],
        close,
      } = await meeting(2);
      await redis('EXPIRE', `room:${roomId}`, 1000);
      await redis('EXPIRE', `socket:${a.id}`, 1000);
      assert.deepEqual(await a.join(roomId), joined(roomId));
      assert.deepEqual(await b.take('ready'), { peerId: a.id });
      assert.ok((await redis('TTL', `room:${roomId}`)) > 86390);
      assert.ok((await redis('TTL', `socket:${a.id}`)) > 89990);
      assert.deepEqual(await members(roomId), ids(a, b));
      await a.receivesOnlyFrom(b);
      await close();
    });

    for (const [event, member] of [
      ['offer', 'offer'],
      ['answer', 'answer'],
      ['ice-candidate', 'candidate'],
    ]) {
      test(`${event}: to the named peer only, stamped with its sender`, async () => {
        const {
          peers: [a, b, c],
          close,
        } = await meeting(3);
        const payload = { type: event, sdp: 'v=0\r\no=- é 😀', list: [1, null, true, 1.5e-7] };
        a.emit(event, {
          peerId: b.id,
          from: 'chosen by the client',
          [member]: payload,
          extra: 1,
          roomId: 'x',
        });
        assert.deepEqual(await b.take(event), {
          [member]: payload,
          from: 'chosen by the client',
          peerId: a.id,
        });
        await c.receivesOnlyFrom(a);
        await a.receivesOnlyFrom(b);
        await b.receivesOnlyFrom(a);
        await close();
      });

      test(`${event}: absent members stay absent, null stays null`, async () => {
        const {
          peers: [a, b],
          close,
        } = await meeting(2);
        for (const given of [
          {},
          { from: null },
          { [member]: null },
          { [member]: [] },
          { from: 5, [member]: '' },
        ]) {
          a.emit(event, { peerId: b.id, ...given });
          assert.deepEqual(await b.take(event), { ...given, peerId: a.id });
        }
        await close();
      });
    }

    test('a peer that names itself hears nothing', async () => {
      const {
        peers: [a, b],
        close,
      } = await meeting(2);
      a.emit('offer', { peerId: a.id, offer: 'to me' });
      await b.receivesOnlyFrom(a);
      await a.receivesOnlyFrom(b);
      await close();
    });

    test('initiator-online: to the others in the room', async () => {
      const {
        roomId,
        peers: [a, b, c],
        close,
      } = await meeting(3);
      a.emit('initiator-online', { roomId, extra: 1 });
      for (const peer of [b, c]) assert.deepEqual(await peer.take('initiator-online'), { roomId });
      await a.receivesOnlyFrom(b);
      await close();
    });

    test('recipient-ready: to the others in the room', async () => {
      const {
        roomId,
        peers: [a, b, c],
        close,
      } = await meeting(3);
      a.emit('recipient-ready', { roomId, peerId: a.id, extra: 1 });
      for (const peer of [b, c])
        assert.deepEqual(await peer.take('recipient-ready'), { peerId: a.id });
      await a.receivesOnlyFrom(b);
      await close();
    });

    test('relays and room events do not leave their room', async () => {
      const {
        roomId,
        peers: [a, b],
        close,
      } = await meeting(2);
      const {
        roomId: other,
        peers: [stranger],
        close: closeOther,
      } = await meeting(1);
      const unbound = await Peer.connect(server, { transports });
      for (const [outsider, own] of [
        [stranger, other],
        [unbound, longRoom()],
      ]) {
        for (const peerId of [a.id, roomId, `room:${roomId}`, '']) {
          outsider.emit('offer', { peerId, from: a.id, offer: 'no' });
          outsider.emit('answer', { peerId, from: a.id, answer: 'no' });
          outsider.emit('ice-candidate', { peerId, from: a.id, candidate: 'no' });
        }
        outsider.emit('initiator-online', { roomId });
        outsider.emit('recipient-ready', { roomId, peerId: a.id });
        a.emit('offer', { peerId: outsider.id, offer: 'no' });
        a.emit('initiator-online', { roomId: own });
        await outsider.join(own); // the answer comes after all of that was read
      }
      await a.receivesOnlyFrom(b);
      await b.receivesOnlyFrom(a);
      stranger.assertEmpty();
      unbound.assertEmpty();
      await Promise.all([close(), closeOther(), unbound.close()]);
    });
  });
}

test('clients of both transports meet in one room', async () => {
  const {
    roomId,
    peers: [a],
    close,
  } = await meet(server, 1, { transports: ['polling'] });
  const b = await Peer.connect(server);
  assert.deepEqual(await b.join(roomId), joined(roomId));
  assert.deepEqual(await a.take('ready'), { peerId: b.id });
  await a.receivesOnlyFrom(b);
  await b.receivesOnlyFrom(a);
  await Promise.all([close(), b.close()]);
});

test('join a thousand times in one go: every one is answered', async () => {
  const {
    roomId,
    peers: [a, b],
    close,
  } = await meet(server, 2);
  for (let count = 0; count < 1000; count++) a.emit('join', { roomId });
  for (let count = 0; count < 1000; count++) {
    assert.deepEqual(await a.take('joinResponse'), joined(roomId));
    assert.deepEqual(await b.take('ready'), { peerId: a.id });
  }
  await b.receivesOnlyFrom(a);
  assert.deepEqual(await members(roomId), ids(a, b));
  await close();
});
