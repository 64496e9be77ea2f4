// Nodes on a Redis Cluster: every operation on rooms, whichever masters their keys are on, and what
// befalls nodes, masters and slots.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createRoom, joined, longRoom, Peer, shortRoom } from '../lib/clients.mjs';
import { Cluster, kTtl, pause, untilNone } from '../lib/cluster.mjs';
import { figure, figureMessages, ms, printFiguresAtEnd } from '../lib/figures.mjs';
import { get, post } from '../lib/http.mjs';
import { underLoad } from '../lib/load.mjs';
import { RedisCluster } from '../lib/redis_cluster.mjs';
import { immortal, redisComplaints } from '../lib/redis_state.mjs';

printFiguresAtEnd();

const kOptions = { 'redis.cluster': true };

// The key that says which nodes there are: its master is the one that is missed the most.
const kNodes = 'signalbox:{nodes}';

// Rooms that were there before, and are not later.
const missing = (before, later) => before.filter((room) => !later.includes(room));

let redis;
before(async () => {
  redis = await RedisCluster.start({ replicas: 1 });
});
after(() => redis.stop());

describe('operations', () => {
  let cluster;
  let nodes; // the third lets in two a room, and two attempts a minute
  before(async () => {
    await redis.command('FLUSHALL');
    cluster = await Cluster.start({ redis, options: kOptions });
    Object.assign(cluster.options, {
      'limits.room_size': 2,
      'limits.join_enabled': true,
      'limits.join_window': 60,
    });
    await cluster.add();
    nodes = cluster.nodes;
  });
  after(() => cluster.stop());

  const create = async (node, roomId) => {
    const { status, json } = await post(node, '/api/create_room', { roomId });
    return [status, json.success, json.message];
  };
  const isFree = async (node, roomId) =>
    (await post(node, '/api/check_room', { roomId })).json.available;
  const leave = async (node, roomId, socketId) => {
    const { status, json } = await post(node, '/api/leave_room', { roomId, socketId });
    return [status, json.success, json.message];
  };

  async function meetOn(places, roomId = longRoom()) {
    await createRoom(places[0], roomId);
    const peers = [];
    for (const place of places) {
      const peer = await Peer.connect(place);
      assert.deepEqual(await peer.join(roomId), joined(roomId));
      for (const other of peers) assert.deepEqual(await other.take('ready'), { peerId: peer.id });
      peers.push(peer);
    }
    return { roomId, peers, close: () => Promise.all(peers.map((peer) => peer.close())) };
  }

  // Each sends each other a message, and nothing else is there.
  async function quiet(peers) {
    for (const peer of peers)
      for (const other of peers) if (other !== peer) await peer.receivesOnlyFrom(other);
  }

  test('a room is created once, and found on every node', async () => {
    for (let round = 0; round < 10; round++) {
      const [long, short] = [longRoom(), shortRoom()];
      assert.equal(await isFree(nodes[1], short), true);
      assert.deepEqual(await create(nodes[0], long), [200, true, 'create room success']);
      assert.deepEqual(await create(nodes[1], long), [200, true, 'room exists (rejoin allowed)']);
      assert.deepEqual(await create(nodes[0], short), [200, true, 'create room success']);
      assert.deepEqual(await create(nodes[1], short), [200, false, 'roomId is already exists']);
      assert.equal(await isFree(nodes[1], short), false);
      const { roomId } = (await get(nodes[0], '/api/get_room')).json;
      assert.equal(await isFree(nodes[1], roomId), false);
    }
  });

  test('of many who create a short id at once one is told that it is theirs', async () => {
    for (let round = 0; round < 10; round++) {
      const roomId = shortRoom();
      const answers = await Promise.all(nodes.map((node) => create(node, roomId)));
      assert.equal(answers.filter(([, success]) => success).length, 1);
    }
  });

  test('referrers are counted', async () => {
    const timestamp = Date.now();
    const day = new Date(timestamp).toISOString().slice(0, 10);
    for (const node of nodes) {
      const { json } = await post(node, '/api/set_track', { ref: 'a friend', timestamp });
      assert.equal(json.success, true);
    }
    assert.equal(await redis.command('HGET', `referrers:daily:${day}`, 'a friend'), '3');
  });

  test('a join is refused for each of its reasons, and leaves nothing', async () => {
    const { roomId, peers, close } = await meetOn([nodes[0], nodes[1]]);
    const [a] = peers;
    const other = longRoom();
    await createRoom(nodes[0], other);
    const refused = (message, room) => ({ success: false, message, roomId: room });
    assert.deepEqual(
      await a.join(other),
      refused('Socket is already bound to another room', other),
    );
    const late = await Peer.connect(nodes[2]);
    const none = 'no-such-room';
    assert.deepEqual(await late.join(none), refused('Room does not exist', none));
    assert.deepEqual(await late.join(roomId), refused('Room is full', roomId));
    const { message } = await late.join(other);
    assert.match(message, /^Rate limit exceeded\. Try again in \d+s\. Attempts left: 0\.$/);
    await untilNone(
      () => redisComplaints(redis, new Map(peers.map(({ id }) => [id, roomId])), 3),
      'nothing is left of the refused',
    );
    assert.equal(await redis.command('EXISTS', `room:${none}`), 0);
    await quiet(peers);
    await late.close();
    await close();
  });

  test('everything that peers say to each other arrives on the other node', async () => {
    const {
      roomId,
      peers: [a, b],
    } = await meetOn([nodes[0], nodes[1]]);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      for (const [event, field] of [
        ['offer', 'offer'],
        ['answer', 'answer'],
        ['ice-candidate', 'candidate'],
      ]) {
        for (const payload of [{ sdp: 'v=0\r\n 😀' }, Buffer.from([0, 255]), 'x'.repeat(99999)]) {
          from.emit(event, { peerId: to.id, from: from.id, [field]: payload });
          const expected = { [field]: payload, from: from.id, peerId: from.id };
          assert.deepEqual(await to.take(event), expected);
        }
      }
    }
    a.emit('initiator-online', { roomId });
    assert.deepEqual(await b.take('initiator-online'), { roomId });
    b.emit('recipient-ready', { roomId, peerId: b.id });
    assert.deepEqual(await a.take('recipient-ready'), { peerId: b.id });
    assert.deepEqual(await b.join(roomId), joined(roomId), 'joins again');
    assert.deepEqual(await a.take('ready'), { peerId: b.id });
    await quiet([a, b]);
    const { id } = b;
    await b.close();
    assert.deepEqual(await a.take('peer-disconnected'), { peerId: id });
    a.assertEmpty();
    await a.close();
  });

  for (const [where, at] of [
    ['its own', 0],
    ['another', 1],
  ]) {
    test(`leave_room on ${where} node: all are told, and it may join another room`, async () => {
      const { roomId, peers, close } = await meetOn([nodes[0], nodes[1], nodes[0]]);
      const [a, b, c] = peers;
      const success = [200, true, 'Successfully left the room'];
      assert.deepEqual(await leave(nodes[at], roomId, a.id), success);
      for (const peer of peers)
        assert.deepEqual(await peer.take('peer-disconnected'), { peerId: a.id });
      assert.deepEqual(await leave(nodes[at], roomId, a.id), success, 'a second time');
      assert.deepEqual(await leave(nodes[at], 'no-such-room', a.id), [
        200,
        true,
        'Room does not exist.',
      ]);
      await quiet([b, c]);
      a.assertEmpty();
      const other = longRoom();
      await createRoom(nodes[1], other);
      assert.deepEqual(await a.join(other), joined(other));
      const bound = new Map([
        [a.id, other],
        [b.id, roomId],
        [c.id, roomId],
      ]);
      await untilNone(() => redisComplaints(redis, bound, 3), 'Redis has it where it is');
      await close();
    });
  }

  test('any id may name a room, and its keys are side by side', async () => {
    const ids = ['{', '}', '{}', '}{', '{a}b', 'a{b}', '%', '%7D', '{%25}', 'a:sockets', 'a:nodes']
      .concat(['räum-😀', '{ä}', '*', '"', "'\\"])
      .map((id, index) => `${id}${index}`.padEnd(12, id));
    for (const id of ids) {
      const { peers, close } = await meetOn([nodes[0], nodes[1]], id);
      await quiet(peers);
      const name = id.replace(/[%}]/g, (c) => (c === '%' ? '%25' : '%7D'));
      const keys = (await redis.keys()).filter((key) => key.startsWith(`room:{${name}}`));
      assert.deepEqual(
        keys.sort(),
        ['', ':nodes', ':sockets'].map((end) => `room:{${name}}${end}`),
      );
      const { master } = await redis.owner(keys[0]);
      assert.equal(await master.command('HEXISTS', keys[0], 'created_at'), 1);
      const members = await master.command('SMEMBERS', keys[2]);
      assert.deepEqual(members.sort(), peers.map((peer) => peer.id).sort());
      await close();
    }
    assert.equal(new Set(ids).size, ids.length);
  });

  test('when all have gone, no socket is left, and every key has a TTL', async () => {
    await untilNone(
      async () => [...(await redisComplaints(redis, new Map(), 3)), ...(await immortal(redis))],
      'Redis is clean',
    );
  });

  test('SIGTERM leaves no key of the node', async () => {
    cluster.options['limits.join_enabled'] = false;
    const node = await cluster.add();
    const { peers } = await meetOn([node, nodes[0]]);
    const [{ id: peerId }] = peers;
    const id = peerId.slice(0, 4);
    assert.ok((await redis.keys()).some((key) => key.includes(id)));
    assert.equal(await node.terminate(), 0);
    assert.deepEqual(await peers[1].take('peer-disconnected'), { peerId });
    const rest = (await redis.keys()).filter((key) => key.includes(`{${id}}`) || key.endsWith(id));
    assert.deepEqual(rest, []);
    assert.equal(await redis.command('ZSCORE', kNodes, id), null);
    await peers[1].close();
  });

  test('an address is limited by all nodes together, and a room may be private', async () => {
    Object.assign(cluster.options, {
      'limits.room_size': 10,
      'limits.create_count': 2,
      'limits.check_count': 4,
      'limits.guess_count': 3,
      'limits.track_count': 2,
      'limits.ice_count': 2,
      'turn.urls': 'stun:stun.example',
    });
    const pair = [await cluster.add(), await cluster.add()];
    const statuses = async (address, count, path, body = undefined) => {
      const headers = { 'X-Forwarded-For': address };
      const answers = [];
      for (let i = 0; i < count; i++) {
        const node = pair[i % 2];
        const request = body ? post(node, path, body, headers) : get(node, path, headers);
        answers.push((await request).status);
      }
      return answers;
    };
    const secretRoom = longRoom();
    await post(nodes[0], '/api/create_room', { roomId: secretRoom, secret: 'x', capacity: 2 });
    const present = { roomId: secretRoom };
    const absent = { roomId: longRoom(), socketId: 'x' };
    assert.deepEqual(await statuses('192.0.2.1', 3, '/api/get_room'), [200, 200, 429]);
    assert.deepEqual(
      await statuses('192.0.2.2', 5, '/api/check_room', present),
      [200, 200, 200, 200, 429],
    );
    assert.deepEqual(
      await statuses('192.0.2.3', 4, '/api/check_room', absent),
      [200, 200, 200, 429],
    );
    assert.deepEqual(
      await statuses('192.0.2.4', 4, '/api/leave_room', absent),
      [200, 200, 200, 429],
    );
    const visit = { ref: 'x', timestamp: Date.now() };
    assert.deepEqual(await statuses('192.0.2.5', 3, '/api/set_track', visit), [200, 200, 429]);
    assert.deepEqual(await statuses('192.0.2.7', 3, '/api/ice_servers'), [200, 200, 429]);

    const peers = [];
    for (const node of [...pair, pair[0]]) {
      peers.push(await Peer.connect(node, { extraHeaders: { 'X-Forwarded-For': '192.0.2.6' } }));
    }
    const join = async (peer, secret) => {
      peer.emit('join', { roomId: secretRoom, secret });
      return (await peer.take('joinResponse')).message;
    };
    const wrong = 'The secret of the room is missing or wrong';
    assert.equal(await join(peers[0]), wrong);
    assert.equal(await join(peers[1], 'y'), wrong);
    for (const peer of peers.slice(0, 2)) {
      assert.equal(await join(peer, 'x'), 'Successfully joined room');
    }
    assert.equal(await join(peers[2], 'x'), 'Room is full');
    assert.equal(await join(peers[2], 'y'), wrong);
    assert.match(await join(peers[2], 'x'), /^Rate limit exceeded\. /);
    await Promise.all(peers.map((peer) => peer.close()));
    assert.deepEqual(await immortal(redis), []);
  });
});

describe('faults', () => {
  // With the lease that is the default messages are kept until all masters are there again.
  const kPatient = { 'node.ttl': null };

  beforeEach(() => redis.command('FLUSHALL'));

  // With 60 pairs, mostly on different nodes.
  function run(body, more = {}) {
    const load = { rooms: 60, members: 2, interval: 200 };
    const options = { ...kOptions, ...more };
    return underLoad({ redis, nodes: 3, options, load }, async (all) => {
      assert.ok(
        (await redis.shares()).every((rooms) => rooms > 0),
        'each master has rooms',
      );
      await body(all);
      assert.deepEqual(await immortal(redis), []);
    });
  }

  // From now on until all is as it should be.
  async function back(load, name, limit) {
    const since = performance.now();
    await load.bindings(limit);
    figure(name, 'all bound after', ms(performance.now() - since));
    await load.relays();
    figure(name, 'relays pass after', ms(performance.now() - since));
  }

  // Until a room can be created on each node, in each part of the cluster.
  async function operable(nodes, name, limit) {
    const since = performance.now();
    const refused = async (node, n) => {
      const { status } = await post(node, '/api/create_room', { roomId: `probe-of-rooms-${n}` });
      return status === 200 ? [] : [`${node.name} answers ${status}`];
    };
    const probes = nodes.flatMap((node) => Array.from({ length: 10 }, (_, n) => [node, n]));
    await untilNone(
      async () => (await Promise.all(probes.map((probe) => refused(...probe)))).flat(),
      'rooms can be created',
      limit,
    );
    figure(name, 'rooms can be created after', ms(performance.now() - since));
  }

  test('a node is killed: its peers are told once, nothing of it is left', async () => {
    const name = 'kill -9 of a node';
    await run(async ({ load, nodes }) => {
      const lost = load.record.bound.filter(({ node }) => node === nodes[1]);
      await load.kill(nodes[1]);
      await load.informed(1.5 * kTtl + 3000, { strict: true });
      figure(name, 'last peer told after', ms(Math.max(...load.record.noticed(lost))));
      await back(load, name, 5000);
      figureMessages(name, await load.sound({ strict: true }));
      const dead = lost[0].id.slice(0, 4);
      const keys = await redis.keys();
      assert.deepEqual(
        keys.filter((key) => key.includes(`{${dead}}`) || key.endsWith(`:${dead}`)),
        [],
      );
    });
  });

  test('a node stands still for three leases, and goes on under the same ids', async () => {
    const name = 'node stopped';
    await run(async ({ load, nodes }) => {
      const slow = load.record.bound.filter(({ node }) => node === nodes[1]);
      nodes[1].pause();
      await pause(3 * kTtl);
      assert.ok(load.record.noticed(slow).length > 0, 'declared dead');
      nodes[1].resume();
      await back(load, name, 5000);
      assert.ok(slow.every((socket) => socket.bound));
      figureMessages(name, await load.sound());
    });
  });

  for (const [what, signal] of [
    ['killed', 'kill'],
    ['hung', 'pause'],
  ]) {
    test(`a master is ${what}, and its replica takes over: all are in their rooms`, async () => {
      const name = `master ${what}`;
      await run(async ({ load, nodes }) => {
        const rooms = await redis.rooms();
        const master = await redis.replicated();
        await master[signal]();
        try {
          await operable(nodes, name, 10000);
          await back(load, name, 10000);
          assert.deepEqual(missing(rooms, await redis.rooms()), []);
        } finally {
          await redis.heal();
        }
        figureMessages(name, await load.sound());
      }, kPatient);
    });
  }

  test('slots move from master to master and back: nothing is lost', async () => {
    const name = 'slots moved';
    await run(async ({ load }) => {
      const [one, two] = await redis.masters();
      const slots = await redis.slotsInUse(one);
      for (const [from, to] of [
        [one, two],
        [two, one],
      ]) {
        for (const [index, slot] of slots.entries()) {
          await redis.move(slot, from, to);
          if (index % 5 === 0) load.random.pick(load.bound).end(index % 2 ? 'close' : 'reset');
        }
      }
      figure(name, 'slots there and back', slots.length);
      figureMessages(name, await load.sound({ strict: true, lossless: true }));
    });
  });

  test('a slot stays half moved: who goes meanwhile is taken out when it is whole', async () => {
    const options = { ...kOptions, 'redis.command_timeout': 500 };
    const load = { rooms: 6, members: 2, interval: 200 };
    await underLoad({ redis, options, load }, async ({ load }) => {
      const [member] = load.members;
      const key = `room:{${member.roomId}}`;
      const { slot, master } = await redis.owner(key);
      const to = (await redis.masters()).find((each) => each !== master);
      await redis.beginMove(slot, master, to);
      await redis.moveKeys(slot, master, to, [`${key}:sockets`]);
      member.end('reset');
      await pause(2000); // all that time no script can work on that room
      await redis.moveKeys(slot, master, to);
      await load.bindings(8000); // though the slot is still on its way
      await redis.endMove(slot, master, to);
      await load.sound({ strict: true });
    });
  });

  for (const [which, count] of [
    ['one master comes', 1],
    ['all masters come', 4],
  ]) {
    test(`${which} back empty: rooms and members are there again`, async () => {
      const name = `${which} back empty`;
      await run(async ({ load, nodes }) => {
        const rooms = await redis.rooms();
        const replicated = await redis.replicated();
        const others = (await redis.masters()).filter((node) => node !== replicated);
        const doomed = count === 1 ? others.slice(0, 1) : redis.nodes;
        await Promise.all(doomed.map((node) => node.kill()));
        await redis.heal();
        await operable(nodes, name, 10000);
        await back(load, name, 3000);
        assert.deepEqual(missing(rooms, await redis.rooms()), []);
        figureMessages(name, await load.sound());
      });
    });
  }
});
