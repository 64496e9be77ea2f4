// What passes between the workers of one hostd without a detour over Redis, and that it does not come
// ahead of what Redis has yet to tell.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { startHostd } from '../lib/hostd.mjs';
import { post } from '../lib/http.mjs';
import { Proxy } from '../lib/proxy.mjs';
import { startRedis } from '../lib/redis.mjs';

let redis;
let proxy;
let server;
before(async () => {
  redis = await startRedis();
  proxy = await Proxy.start(redis.url.slice('unix://'.length));
  server = await startHostd({ workers: 2, 'redis.url': `redis://127.0.0.1:${proxy.port}` });
});
after(async () => {
  await server.stop();
  proxy.stop();
  await redis.stop();
});

const nodeOf = ({ id }) => id.slice(0, 4);

// A room with `here` and `near` on one worker, `there` on the other; all have seen each other come.
async function meetAcross() {
  const roomId = longRoom();
  await createRoom(server, roomId);
  const here = await Peer.connect(server);
  const connect = async (fits) => {
    const others = [];
    for (;;) {
      const peer = await Peer.connect(server);
      if (fits(peer)) {
        await Promise.all(others.map((other) => other.close()));
        return peer;
      }
      others.push(peer);
    }
  };
  const near = await connect((peer) => nodeOf(peer) === nodeOf(here));
  const there = await connect((peer) => nodeOf(peer) !== nodeOf(here));
  const peers = [here, near, there];
  for (const [index, peer] of peers.entries()) {
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    for (const other of peers.slice(0, index)) {
      assert.deepEqual(await other.take('ready'), { peerId: peer.id });
    }
  }
  const close = () => Promise.all(peers.map((peer) => peer.close()));
  return { roomId, here, near, there, close };
}

const offer = (from, to, text) => from.emit('offer', { peerId: to.id, from: from.id, offer: text });

// The next events of a client, as "event of whom".
async function heard(peer, count) {
  const events = [];
  while (events.length < count) {
    const { event, args } = await peer.inbox.take(() => true, 'anything');
    events.push(`${event} of ${args[0].peerId ?? args[0].roomId}`);
  }
  return events;
}

// Once `near`, who is on the same worker, has this message that worker has dealt with all before it.
async function dealtWith(from, near) {
  from.emit('answer', { peerId: near.id, from: from.id, answer: 'last' });
  await near.take('answer');
}

test('relays and events pass while Redis tells nothing', async () => {
  const { roomId, here, near, there, close } = await meetAcross();
  proxy.set('mute');
  try {
    await there.receivesOnlyFrom(here);
    await here.receivesOnlyFrom(there);
    here.emit('initiator-online', { roomId });
    assert.deepEqual(await there.take('initiator-online'), { roomId });
    there.emit('recipient-ready', { roomId, peerId: there.id });
    assert.deepEqual(await here.take('recipient-ready'), { peerId: there.id });
    await near.take('recipient-ready');
  } finally {
    proxy.heal();
  }
  await near.take('initiator-online');
  await close();
});

test('a newcomer is told before what it says', async () => {
  const { roomId, here, near, there, close } = await meetAcross();
  await here.close();
  for (const peer of [near, there]) await peer.take('peer-disconnected');
  proxy.set('mute');
  let newcomer;
  try {
    do {
      if (newcomer) await newcomer.close();
      newcomer = await Peer.connect(server);
    } while (nodeOf(newcomer) === nodeOf(there));
    assert.deepEqual(await newcomer.join(roomId), joined(roomId));
    await near.take('ready');
    newcomer.emit('recipient-ready', { roomId, peerId: newcomer.id });
    offer(newcomer, there, 'first');
    offer(newcomer, there, 'second');
    await near.take('recipient-ready');
    await dealtWith(newcomer, near);
  } finally {
    proxy.heal();
  }
  const { id } = newcomer;
  const expected = ['ready', 'recipient-ready', 'offer', 'offer'];
  assert.deepEqual(
    await heard(there, expected.length),
    expected.map((event) => `${event} of ${id}`),
  );
  await newcomer.close();
  await close();
});

async function takeOut({ roomId, here, near, there }) {
  const { status } = await post(server, '/api/leave_room', { roomId, socketId: here.id });
  assert.equal(status, 200);
  for (const peer of [here, near, there]) {
    assert.deepEqual(await peer.take('peer-disconnected'), { peerId: here.id });
  }
}

for (const [name, prepare] of [
  ['has joined anew', () => {}],
  ['was taken out and has come back', takeOut],
]) {
  test(`who ${name} is told before what it says then`, async () => {
    const room = await meetAcross();
    const { roomId, here, near, there, close } = room;
    await prepare(room);
    proxy.set('mute');
    try {
      assert.deepEqual(await here.join(roomId), joined(roomId));
      await near.take('ready');
      offer(here, there, 'after');
      await dealtWith(here, near);
    } finally {
      proxy.heal();
    }
    // A heartbeat that meets a leave binds again for a moment: more may come before.
    let before;
    let [event] = await heard(there, 1);
    while (event !== `offer of ${here.id}`) {
      before = event;
      [event] = await heard(there, 1);
    }
    assert.equal(before, `ready of ${here.id}`);
    await close();
  });
}

test('news that never come do not hold messages for ever', async () => {
  const { roomId, here, near, there, close } = await meetAcross();
  proxy.set('mute');
  try {
    assert.deepEqual(await here.join(roomId), joined(roomId));
    offer(here, there, 'after');
    assert.deepEqual(await heard(there, 1), [`offer of ${here.id}`]);
    // Nor is anything waited for once more.
    const begun = performance.now();
    offer(here, there, 'next');
    await there.take('offer');
    assert.ok(performance.now() - begun < 900);
    await near.take('ready');
  } finally {
    proxy.heal();
  }
  await close();
});
