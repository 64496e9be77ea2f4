// Redis killed, hung, emptied and back, under load.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longRoom, Peer } from '../lib/clients.mjs';
import { kLong, kTtl, pause } from '../lib/cluster.mjs';
import { figure, figureMessages, ms, printFiguresAtEnd } from '../lib/figures.mjs';
import { get, post } from '../lib/http.mjs';
import { underLoad } from '../lib/load.mjs';
import { immortal } from '../lib/redis_state.mjs';

printFiguresAtEnd();

const kBack = 5000; // all are bound again within this after Redis is back
const kAnswer = 2000; // a room operation is answered within this

async function timed(what, promise) {
  const begun = performance.now();
  const value = await promise;
  const passed = performance.now() - begun;
  assert.ok(passed <= kAnswer + 150, `${what} took ${Math.round(passed)} ms`);
  return value;
}

// Without Redis: local relays go on, room operations fail in time and as the contract has it.
async function servedWithout(load, nodes) {
  const newcomer = await Peer.connect(nodes[0]);
  const calls = nodes.flatMap((node) => [
    ['/api/create_room', node, { roomId: longRoom() }],
    ['/api/check_room', node, { roomId: 'x' }],
    ['/api/leave_room', node, { roomId: 'x', socketId: 'y' }],
  ]);
  await Promise.all([
    ...calls.map(async ([path, node, body]) => {
      const { status, json } = await timed(path, post(node, path, body));
      assert.deepEqual([status, json], [500, { error: 'Internal server error' }], path);
    }),
    (async () => {
      const { success, message } = await timed('join', newcomer.join(longRoom()));
      assert.deepEqual([success, message], [false, 'Server error while joining room']);
    })(),
  ]);
  for (const node of nodes) {
    await load.relays(1000, ({ socket }) => socket.node === node);
    const { status, json } = await timed('health', get(node, '/health/detailed'));
    assert.deepEqual([status, json.dependencies.redis.status], [503, 'disconnected']);
    assert.equal((await get(node, '/health')).status, 200);
  }
  await newcomer.close();
}

async function back({ load, name }) {
  const since = performance.now();
  await load.bindings(kBack);
  figure(name, 'all bound again after', ms(performance.now() - since));
  await load.relays();
  figure(name, 'relays between nodes pass after', ms(performance.now() - since));
}

for (const [what, appendonly] of [
  ['comes back empty', false],
  ['comes back with its data', true],
]) {
  const name = `Redis killed, ${what}`;
  test(name, async () => {
    await underLoad({ nodes: 2, appendonly }, async ({ load, nodes, redis }) => {
      await redis.kill();
      await servedWithout(load, nodes);
      await redis.restart();
      await back({ load, name });
      const messages = await load.sound();
      figureMessages(name, messages);
      assert.deepEqual(await immortal(redis), []);
    });
  });
}

for (const seconds of kLong ? [5, 20] : [5]) {
  const name = `Redis hangs ${seconds} s`;
  test(name, async () => {
    await underLoad({ nodes: 2 }, async ({ load, nodes, redis }) => {
      const begun = performance.now();
      redis.pause();
      await pause(500);
      await servedWithout(load, nodes);
      await pause(Math.max(0, seconds * 1000 - (performance.now() - begun)));
      redis.resume();
      await back({ load, name });
      figureMessages(name, await load.sound());
    });
  });
}

test('Redis hangs for a moment: nothing is lost', async () => {
  const name = 'Redis hangs 0.7 s';
  await underLoad({ nodes: 2 }, async ({ load, redis }) => {
    redis.pause();
    await pause(700);
    redis.resume();
    figureMessages(name, await load.sound({ lossless: true }));
  });
});

test('FLUSHALL', async () => {
  const name = 'FLUSHALL';
  await underLoad({ nodes: 3 }, async ({ load, redis }) => {
    for (let round = 0; round < 3; round++) {
      await redis.command('FLUSHALL');
      await back({ load, name });
    }
    figureMessages(name, await load.sound({ lossless: true }));
    assert.deepEqual(await immortal(redis), []);
  });
});

test('clients go while Redis is away: their peers are told, nothing of them is left', async () => {
  for (const appendonly of [false, true]) {
    const name = `clients gone while Redis is away, ${appendonly ? 'data kept' : 'empty'}`;
    await underLoad({ nodes: 2, appendonly }, async ({ load, redis }) => {
      await redis.kill();
      load.bound.forEach((member, index) => {
        if (index % 2) member.end(index % 4 === 1 ? 'close' : 'reset');
      });
      await pause(kTtl);
      await redis.restart();
      await back({ load, name });
      figureMessages(name, await load.sound());
    });
  }
});

test('joins that fail because Redis hangs leave nothing when it goes on', async () => {
  await underLoad({ nodes: 2 }, async ({ load, nodes, redis }) => {
    const roomId = load.members[0].roomId;
    const peers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => Peer.connect(nodes[i % 2])),
    );
    // As the record has it they were never there: who is told of them must be told that they are gone.
    peers.forEach((peer, i) => {
      load.record.add(peer.id, nodes[i % 2], roomId).endedAt = 0;
    });
    redis.pause();
    const answers = await Promise.all(peers.map((peer) => timed('join', peer.join(roomId))));
    assert.ok(answers.every(({ success }) => success === false));
    await Promise.all(peers.slice(0, 10).map((peer) => peer.close())); // half of them stay
    redis.resume();
    await load.bindings(5000);
    await Promise.all(peers.slice(10).map((peer) => peer.close()));
    await load.sound();
  });
});

test('a node is killed while Redis is away', async () => {
  for (const appendonly of [true, false]) {
    const name = `node killed while Redis is away, ${appendonly ? 'data kept' : 'empty'}`;
    await underLoad({ nodes: 3, appendonly }, async ({ load, nodes, redis }) => {
      await redis.kill();
      await load.kill(nodes[1]);
      await pause(500);
      await redis.restart();
      figure(name, 'all as it should be after', ms(await load.bindings(3 * kTtl + kBack)));
      figureMessages(name, await load.sound());
    });
  }
});

test('Redis goes and comes again and again', async () => {
  const name = 'Redis killed five times';
  await underLoad({ nodes: 3 }, async ({ load, redis }) => {
    for (let round = 0; round < 5; round++) {
      await redis.kill();
      await pause(load.random.between(50, 600));
      await redis.restart();
      await pause(load.random.between(50, 600));
    }
    figureMessages(name, await load.sound());
  });
});

test('nobody is declared dead because Redis was away for longer than the lease', async () => {
  const name = 'Redis hangs three leases';
  await underLoad({ nodes: 3 }, async ({ load, redis }) => {
    redis.pause();
    await pause(3 * kTtl);
    redis.resume();
    // misled() in here complains of each `peer-disconnected`: no node is suspect.
    figureMessages(name, await load.sound());
  });
});
