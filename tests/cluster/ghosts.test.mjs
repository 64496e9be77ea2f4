// Sockets that end at the worst moment leave nothing behind, and their peers know of their end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { Cluster, kTtl, pause, untilNone } from '../lib/cluster.mjs';
import { post } from '../lib/http.mjs';
import { LightClient } from '../lib/light_client.mjs';
import { Random } from '../lib/random.mjs';
import { immortal, redisComplaints } from '../lib/redis_state.mjs';

// A cluster for one test, ended with it.
async function startCluster(t, nodes) {
  const cluster = await Cluster.start({ nodes });
  t.after(() => cluster.stop());
  return cluster;
}

test('300 joins with sudden closes leave no ghost, and every key has a TTL', async (t) => {
  const { nodes, redis } = await startCluster(t, 3);
  const random = new Random(300);
  const rooms = Array.from({ length: 10 }, longRoom);
  const witnesses = [];
  t.after(() => witnesses.map((witness) => witness.socket.close()));
  for (const [index, roomId] of rooms.entries()) {
    await createRoom(nodes[0], roomId);
    const witness = await Peer.connect(nodes[index % 3]);
    assert.deepEqual(await witness.join(roomId), joined(roomId));
    witnesses.push(witness);
  }

  const ends = [
    (client) => client.reset(), // right behind the join
    async (client) => {
      await pause(random.between(0, 4));
      client.reset();
    },
    (client) => client.close(),
    (client) => {
      client.send('41'); // leaves the namespace, and stays connected for a moment
      setTimeout(() => client.reset(), random.between(0, 20));
    },
    async (client, roomId) => {
      const node = random.pick(nodes); // over HTTP, while the join may be under way
      const left = post(node, '/api/leave_room', { roomId, socketId: client.id });
      await pause(random.between(0, 2));
      client.reset();
      await left;
    },
    (client, roomId) => {
      client.emit('join', { roomId }); // twice
      client.reset();
    },
  ];
  const kinds = new Map(); // socket id -> how it ended
  const one = async () => {
    const roomId = random.pick(rooms);
    const client = await LightClient.connect(random.pick(nodes));
    const end = random.pick(ends);
    kinds.set(client.id, `end ${ends.indexOf(end)}`);
    client.emit('join', { roomId });
    await end(client, roomId);
    await client.closed;
  };
  for (let round = 0; round < 30; round++) await Promise.all(Array.from({ length: 10 }, one));

  const bound = new Map(witnesses.map(({ id }, index) => [id, rooms[index]]));
  const ghosts = async () =>
    (await redisComplaints(redis, bound, nodes.length)).map((text) =>
      text.replace(/ghost (\S+)/, (all, id) => `${all} (${kinds.get(id)})`),
    );
  await untilNone(ghosts, 'no ghost');
  assert.deepEqual(await immortal(redis), []);
  const words = () =>
    witnesses.flatMap(({ inbox, id }) => {
      const last = new Map();
      for (const { event, args } of inbox.messages) last.set(args[0].peerId, event);
      return [...last]
        .filter(([, event]) => event !== 'peer-disconnected')
        .map(([peerId, event]) => `${id} was last told ${event} of ${peerId}`);
    });
  await untilNone(words, 'the witnesses know that all are gone');
  // Somebody who is found in the room again is announced again: only then may its end be told again.
  for (const { inbox } of witnesses) {
    const gone = new Set();
    for (const { event, args } of inbox.messages) {
      const { peerId } = args[0];
      if (event !== 'peer-disconnected') {
        gone.delete(peerId);
        continue;
      }
      assert.ok(!gone.has(peerId), `told twice, ${kinds.get(peerId)}`);
      gone.add(peerId);
    }
  }
});

test('rooms that are emptied get their short TTL, whatever emptied them', async (t) => {
  const { nodes, redis } = await startCluster(t, 2);
  const enter = async (node, roomId) => {
    await createRoom(node, roomId);
    const peer = await Peer.connect(node);
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    return peer;
  };
  const rooms = ['closed', 'left', 'killed'].map((what) => `${what}-${longRoom()}`);
  const closed = await enter(nodes[0], rooms[0]);
  const left = await enter(nodes[0], rooms[1]);
  await enter(nodes[1], rooms[2]);
  const short = (roomId) => async () => {
    const ttl = await redis.command('TTL', `room:${roomId}`);
    return ttl > 0 && ttl <= 900 ? [] : [`TTL ${ttl}`];
  };
  for (const roomId of rooms) assert.ok((await redis.command('TTL', `room:${roomId}`)) > 900);
  await closed.close();
  await post(nodes[1], '/api/leave_room', { roomId: rooms[1], socketId: left.id });
  await nodes[1].kill();
  for (const roomId of rooms)
    await untilNone(short(roomId), `${roomId} is emptied`, 2 * kTtl + 3000);
  await left.close();
});
