// Disconnects for whatever reason: the others are told, Redis forgets the socket, and an emptied room
// gets its short time to live.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { joined, meet, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { eventually } from '../lib/wait.mjs';

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

    const ways = {
      'the client closes its session': (peer) => peer.socket.io.engine.close(),
      'socket.disconnect()': (peer) => peer.socket.disconnect(),
      'the page is gone': (peer) => peer.socket.io.engine.transport.close(),
    };
    if (transports[0] === 'websocket') ways['its TCP connection is reset'] = (peer) => peer.reset();
    for (const [way, disconnect] of Object.entries(ways)) {
      test(`disconnect (${way}): the others are told, Redis forgets it`, async () => {
        const {
          roomId,
          peers: [a, b, c],
        } = await meeting(3);
        const id = a.id;
        disconnect(a);
        for (const peer of [b, c])
          assert.deepEqual(await peer.take('peer-disconnected'), { peerId: id });
        await eventually(async () => (await redis('EXISTS', `socket:${id}`)) === 0, 'unbinding');
        assert.deepEqual(await members(roomId), ids(b, c));
        assert.ok((await redis('TTL', `room:${roomId}`)) > 86390, 'a room in use keeps its time');
        await b.receivesOnlyFrom(c);

        const last = b.id;
        await c.close();
        assert.deepEqual(Object.keys(await b.take('peer-disconnected')), ['peerId']);
        disconnect(b);
        await eventually(async () => (await redis('EXISTS', `socket:${last}`)) === 0, 'unbinding');
        const ttl = await redis('TTL', `room:${roomId}`);
        assert.ok(ttl > 890 && ttl <= 900, `an emptied room has 900 s: ${ttl}`);
        assert.deepEqual(await members(roomId), []);
      });
    }

    test('an emptied room may be joined again and gets its full time back', async () => {
      const {
        roomId,
        peers: [a],
      } = await meeting(1);
      const id = a.id;
      await a.close();
      await eventually(async () => (await redis('EXISTS', `socket:${id}`)) === 0, 'unbinding');
      const b = await Peer.connect(server, { transports });
      assert.deepEqual(await b.join(roomId), joined(roomId));
      assert.ok((await redis('TTL', `room:${roomId}`)) > 86390);
      assert.deepEqual(await members(roomId), [b.id]);
      await b.close();
    });
  });
}

test('every key that clients leave behind has a time to live', async () => {
  const {
    roomId,
    peers: [a, b],
  } = await meet(server, 2);
  await Promise.all([a.close(), b.close()]);
  await eventually(async () => (await members(roomId)).length === 0, 'unbinding');
  for (const key of await redis('KEYS', '*')) assert.ok((await redis('TTL', key)) !== -1, key);
});

test('a client that leaves while its join is under way leaves nothing behind', async () => {
  const {
    roomId,
    peers: [a],
    close,
  } = await meet(server, 1);
  for (let count = 0; count < 50; count++) {
    const peer = await Peer.connect(server);
    peer.emit('join', { roomId });
    if (count % 2) peer.socket.disconnect();
    else setImmediate(() => peer.reset());
    await peer.closed;
  }
  const last = await Peer.connect(server);
  await last.join(roomId);
  await last.close();
  await eventually(async () => {
    const keys = await redis('KEYS', 'socket:*');
    const rooms = await Promise.all(keys.map((key) => redis('GET', key)));
    return (
      (await members(roomId)).join() === a.id &&
      rooms.filter((room) => room === roomId).length === 1
    );
  }, 'only the first member is left');
  await close();
});

test('a client that comes back is another one: nothing that was meant for it before reaches it', async () => {
  const {
    roomId,
    peers: [a, gone],
    close,
  } = await meet(server, 2);
  const peerId = gone.id;
  gone.reset();
  assert.deepEqual(await a.take('peer-disconnected'), { peerId });
  const back = await Peer.connect(server);
  assert.notEqual(back.id, peerId);
  await back.join(roomId);
  for (let number = 0; number < 100; number++)
    a.emit('offer', { peerId, from: a.id, offer: number });
  await back.receivesOnlyFrom(a);
  assert.deepEqual(await a.take('ready'), { peerId: back.id });
  await back.close();
  await close();
});
