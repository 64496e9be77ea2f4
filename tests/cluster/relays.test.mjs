// Two sockets in a room reach each other wherever they are connected: every event, both ways, each told
// once, in order; and what is limited is limited over all nodes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { Cluster, untilNone } from '../lib/cluster.mjs';
import { figure, printFiguresAtEnd, quantile } from '../lib/figures.mjs';
import { post } from '../lib/http.mjs';
import { immortal, redisComplaints } from '../lib/redis_state.mjs';

printFiguresAtEnd();

let cluster;
let nodes;
before(async () => {
  cluster = await Cluster.start({ nodes: 3 });
  nodes = cluster.nodes;
});
after(() => cluster.stop());

// A peer on each of these nodes, in one room; each saw those that came after it.
async function meetOn(places, options) {
  const roomId = longRoom();
  await createRoom(places[0], roomId);
  const peers = [];
  for (const place of places) {
    const peer = await Peer.connect(place, options);
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    for (const other of peers) assert.deepEqual(await other.take('ready'), { peerId: peer.id });
    peers.push(peer);
  }
  return { roomId, peers, close: () => Promise.all(peers.map((peer) => peer.close())) };
}

// Nothing is on its way to any of them but what was taken: each pair sends a fence both ways.
async function quiet(peers) {
  for (const peer of peers) {
    for (const other of peers) if (other !== peer) await peer.receivesOnlyFrom(other);
  }
}

const kPayloads = {
  json: {
    type: 'offer',
    sdp: 'v=0\r\n"\\ é 😀 \u2028',
    list: [1, 2.5, null, true],
    deep: { a: [{}] },
  },
  text: 'a text',
  number: 12.75,
  nothing: null,
  large: 'x'.repeat(200000),
  attachment: Buffer.from([0, 1, 2, 255]),
  attachments: {
    first: Buffer.from('one'),
    rest: [Buffer.alloc(70000, 7), 'text', Buffer.alloc(0)],
  },
};

for (const transports of [['websocket'], ['polling']]) {
  test(`offer, answer and candidate arrive as they were sent, both ways (${transports})`, async () => {
    const {
      peers: [a, b],
      close,
    } = await meetOn([nodes[0], nodes[1]], { transports });
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      for (const [event, field] of [
        ['offer', 'offer'],
        ['answer', 'answer'],
        ['ice-candidate', 'candidate'],
      ]) {
        for (const [name, payload] of Object.entries(kPayloads)) {
          from.emit(event, { peerId: to.id, from: 'anything', [field]: payload });
          const expected = { [field]: payload, from: 'anything', peerId: from.id };
          assert.deepEqual(await to.take(event), expected, `${event}: ${name}`);
        }
      }
    }
    await quiet([a, b]);
    await close();
  });
}

test('initiator-online, recipient-ready and a second join reach the other node', async () => {
  const {
    roomId,
    peers: [a, b],
  } = await meetOn([nodes[0], nodes[1]]);
  a.emit('initiator-online', { roomId });
  assert.deepEqual(await b.take('initiator-online'), { roomId });
  b.emit('recipient-ready', { roomId, peerId: b.id });
  assert.deepEqual(await a.take('recipient-ready'), { peerId: b.id });
  assert.deepEqual(await b.join(roomId), joined(roomId));
  assert.deepEqual(await a.take('ready'), { peerId: b.id });
  await quiet([a, b]);
  const { id } = b;
  await b.close();
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: id });
  a.assertEmpty();
  await a.close();
});

test('six in a room, two on each of three nodes: each is told of everything exactly once', async () => {
  const { roomId, peers } = await meetOn([...nodes, ...nodes]);
  await quiet(peers); // one `ready` each was taken, and no second one came
  const [first, ...rest] = peers;
  first.emit('initiator-online', { roomId });
  for (const peer of rest) assert.deepEqual(await peer.take('initiator-online'), { roomId });
  first.emit('recipient-ready', { roomId, peerId: first.id });
  for (const peer of rest)
    assert.deepEqual(await peer.take('recipient-ready'), { peerId: first.id });
  await quiet(peers);
  while (peers.length > 1) {
    const gone = peers.pop();
    const { id } = gone;
    if (peers.length % 2) await gone.close();
    else gone.reset();
    for (const peer of peers)
      assert.deepEqual(await peer.take('peer-disconnected'), { peerId: id });
    if (peers.length > 1) await quiet(peers);
  }
  peers[0].assertEmpty();
  await peers[0].close();
});

test('a relay to a socket of another room, of another node or of nobody reaches no one', async () => {
  const one = await meetOn([nodes[0], nodes[1]]);
  const two = await meetOn([nodes[1], nodes[2]]);
  const [a] = one.peers;
  const nobody = `${one.peers[1].id.slice(0, 4)}${'A'.repeat(16)}`;
  for (const peerId of [
    two.peers[0].id,
    two.peers[1].id,
    nobody,
    'A'.repeat(20),
    '',
    'x',
    null,
    7,
  ]) {
    a.emit('offer', { peerId, from: a.id, offer: 'none of yours' });
  }
  await quiet(one.peers);
  await quiet(two.peers);
  await one.close();
  await two.close();
});

test('leave_room over HTTP on another node: all are told, the leaver too, and it is in no room', async () => {
  const {
    roomId,
    peers: [a, b, c],
  } = await meetOn(nodes);
  const { status, json } = await post(nodes[2], '/api/leave_room', { roomId, socketId: a.id });
  assert.deepEqual([status, json.success], [200, true]);
  for (const peer of [a, b, c])
    assert.deepEqual(await peer.take('peer-disconnected'), { peerId: a.id });

  a.emit('offer', { peerId: b.id, from: a.id, offer: 'from outside' });
  b.emit('offer', { peerId: a.id, from: b.id, offer: 'to outside' });
  const other = longRoom();
  await createRoom(nodes[1], other);
  assert.deepEqual(await a.join(other), joined(other), 'it may join another room');
  await quiet([b, c]);
  const lodger = await Peer.connect(nodes[1]);
  await lodger.join(other);
  assert.deepEqual(await a.take('ready'), { peerId: lodger.id });
  await quiet([a, lodger]);
  const { id } = lodger;
  await lodger.close();
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: id });
  await a.close();
  await quiet([b, c]);
  await Promise.all([b.close(), c.close()]);
});

test('leave_room on another node of a socket that is elsewhere changes nothing', async () => {
  const one = await meetOn([nodes[0], nodes[1]]);
  const two = await meetOn([nodes[0], nodes[1]]);
  const { status } = await post(nodes[2], '/api/leave_room', {
    roomId: one.roomId,
    socketId: two.peers[0].id,
  });
  assert.equal(status, 200);
  await quiet(one.peers);
  await quiet(two.peers);
  await one.close();
  await two.close();
});

test('a thousand messages arrive in order, and so do room events between them', async () => {
  const {
    roomId,
    peers: [a, b],
  } = await meetOn([nodes[0], nodes[1]]);
  const expected = [];
  for (let n = 0; n < 1000; n++) {
    if (n % 100 === 50) {
      a.emit('initiator-online', { roomId });
      expected.push('initiator-online');
    }
    if (n % 100 === 75) {
      a.emit('recipient-ready', { roomId, peerId: a.id });
      expected.push('recipient-ready');
    }
    a.emit('ice-candidate', { peerId: b.id, from: a.id, candidate: n });
    expected.push(n);
  }
  a.emit('ice-candidate', { peerId: b.id, from: a.id, candidate: 'end' });
  const isEnd = ({ event, args }) => event === 'ice-candidate' && args[0].candidate === 'end';
  await b.inbox.take(isEnd, 'the last message');
  const got = b.inbox.messages.map(({ event, args }) =>
    event === 'ice-candidate' ? args[0].candidate : event,
  );
  assert.deepEqual(got, expected);
  b.inbox.messages.length = 0;

  // The leave comes after what was sent before it.
  a.emit('ice-candidate', { peerId: b.id, from: a.id, candidate: 'last words' });
  const { id } = a;
  await a.close();
  const first = await b.inbox.take(() => true, 'anything');
  assert.equal(first.event, 'ice-candidate');
  assert.deepEqual(await b.take('peer-disconnected'), { peerId: id });
  await b.close();
});

test('what a relay costs: to a peer on the same node, and to one on another', async () => {
  for (const [name, places] of [
    ['same node', [nodes[0], nodes[0]]],
    ['other node', [nodes[0], nodes[1]]],
  ]) {
    const {
      peers: [a, b],
      close,
    } = await meetOn(places);
    const times = [];
    for (let n = 0; n < 300; n++) {
      const begun = performance.now();
      a.emit('ice-candidate', { peerId: b.id, from: a.id, candidate: n });
      await b.take('ice-candidate');
      times.push(performance.now() - begun);
    }
    const text = [0.5, 0.99].map((q) => `${quantile(times, q).toFixed(2)} ms`).join(', ');
    figure(`relay to the ${name}`, 'from client to client, median and 99 %', text);
    await close();
  }
});

test('joins of one address are counted over all nodes', async () => {
  const limited = await Cluster.start({
    nodes: 2,
    options: { 'limits.join_enabled': true, 'limits.join_window': 60 },
  });
  const [one, two] = limited.nodes;
  const roomId = longRoom();
  await createRoom(one, roomId);
  const peers = [];
  for (const place of [one, two, one, two]) peers.push(await Peer.connect(place));
  const answers = [];
  for (const peer of peers) answers.push((await peer.join(roomId)).success);
  assert.deepEqual(answers, [true, true, false, false]);
  await Promise.all(peers.map((peer) => peer.close()));
  await limited.stop();
});

test('a short id is created once, whichever nodes are asked at the same time', async () => {
  for (let round = 0; round < 30; round++) {
    const roomId = `r${round}`;
    const answers = await Promise.all(
      nodes.map((node) => post(node, '/api/create_room', { roomId })),
    );
    assert.equal(answers.filter(({ json }) => json.success).length, 1);
  }
});

test('when all have gone, Redis holds no socket, and every key has a TTL', async () => {
  await untilNone(
    async () => [
      ...(await redisComplaints(cluster.redis, new Map(), nodes.length)),
      ...(await immortal(cluster.redis)),
    ],
    'Redis is clean',
  );
});
