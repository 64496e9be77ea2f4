// Nodes that are killed: the others notice, exactly one cleans up, the peers are told once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kTtl, pause, untilNone } from '../lib/cluster.mjs';
import { figure, figureMessages, ms, printFiguresAtEnd, quantile } from '../lib/figures.mjs';
import { underLoad } from '../lib/load.mjs';
import { immortal } from '../lib/redis_state.mjs';

printFiguresAtEnd();

// The sockets of these nodes, and those among them that have somebody left to tell.
const onNodes = (record, nodes) => record.bound.filter(({ node }) => nodes.includes(node));

async function killedAndNoticed({ load, record = load.record, name }, victims, limit) {
  const lost = onNodes(record, victims);
  assert.ok(lost.length > 0, 'the victims have sockets');
  await load.kill(...victims);
  const killedAt = performance.now();
  await load.informed(limit + 3000, { strict: true });
  const times = record.noticed(lost);
  assert.ok(Math.max(...times) <= limit, `noticed after ${Math.max(...times)} ms`);
  await load.bindings(limit);
  figure(
    name,
    'peers told after, first and last',
    `${ms(Math.min(...times))}, ${ms(Math.max(...times))}`,
  );
  figure(name, 'Redis clean, all back after', ms(performance.now() - killedAt));
}

test('a node is killed: noticed within 15 s with the lease that is the default', async () => {
  const name = 'kill -9, lease 10 s';
  await underLoad(
    { nodes: 3, options: { 'node.ttl': null }, load: { interval: 100 } },
    async ({ load, nodes }) => {
      await killedAndNoticed({ load, name }, [nodes[1]], 15000);
      figureMessages(name, await load.sound({ strict: true }));
    },
  );
});

test('a node is killed, with a short lease', async () => {
  const name = `kill -9, lease ${kTtl / 1000} s`;
  await underLoad({ nodes: 3 }, async ({ load, nodes, redis }) => {
    await killedAndNoticed({ load, name }, [nodes[0]], 1.5 * kTtl + 500);
    figureMessages(name, await load.sound({ strict: true }));
    assert.deepEqual(await immortal(redis), []);
  });
});

test('three of four nodes are killed at once', async () => {
  const name = 'three of four killed at once';
  await underLoad({ nodes: 4, load: { members: 4 } }, async ({ load, nodes }) => {
    await killedAndNoticed({ load, name }, nodes.slice(0, 3), 1.5 * kTtl + 1000);
    figureMessages(name, await load.sound({ strict: true }));
  });
});

test('all nodes are killed; a new one cleans up after them', async () => {
  const name = 'all killed, one started';
  await underLoad({ nodes: 2 }, async ({ load, nodes, cluster }) => {
    await load.kill(...nodes);
    await cluster.add();
    figure(name, 'Redis clean, all back after', ms(await load.bindings(3 * kTtl + 3000)));
    await load.sound();
  });
});

test('one is killed, then those who might clean up for it, one after the other', async () => {
  const name = 'cleaners killed one after the other';
  await underLoad({ nodes: 4, load: { members: 4, rooms: 12 } }, async ({ load, nodes }) => {
    // A node is noticed kTtl to 1.25 kTtl after its death: the next one dies when that is due.
    await load.kill(nodes[0]);
    await pause(kTtl);
    await load.kill(nodes[1]);
    await pause(kTtl * 0.1);
    await load.kill(nodes[2]);
    const killedAt = performance.now();
    await load.informed(3 * kTtl + 3000, { strict: true });
    figure(name, 'all told after', ms(performance.now() - killedAt));
    await load.bindings(3 * kTtl + 3000);
    figureMessages(name, await load.sound({ strict: true }));
  });
});

test('the cleaner is killed in the midst of a large clean-up', async () => {
  const name = 'cleaner killed in the midst';
  // Many sockets, so that the clean-up has pages. As soon as the first peer is told, two of the three
  // nodes that may be the cleaner are killed, too.
  const options = { rooms: 200, members: 4, interval: 2000 };
  await underLoad({ nodes: 4, load: options }, async ({ load, nodes }) => {
    const { record } = load;
    const lost = onNodes(record, [nodes[0]]);
    const isTold = (socket) => lost.some(({ id }) => socket.lastWord(id) === 'peer-disconnected');
    await load.kill(nodes[0]);
    await untilNone(
      () => (record.bound.some(isTold) ? [] : ['nobody is told']),
      'the clean-up begins',
      2 * kTtl + 2000,
    );
    await load.kill(nodes[1], nodes[2]);
    await load.informed(4 * kTtl + 3000, { strict: true });
    figure(name, 'told twice', record.misled().filter((text) => text.endsWith('twice')).length);
    const again = record.misled().filter((text) => !text.endsWith('twice'));
    assert.deepEqual(again, []);
    figure(name, 'Redis clean, all back after', ms(await load.bindings(4 * kTtl)));
  });
});

test('a node with 500 sockets is killed', async () => {
  const name = 'kill -9 of a node with 500 sockets';
  await underLoad(
    { nodes: 2, load: { rooms: 500, members: 2, interval: 3000 } },
    async ({ load, nodes }) => {
      const { record } = load;
      const lost = onNodes(record, [nodes[0]]);
      await load.kill(nodes[0]);
      await load.informed(3 * kTtl + 4000, { strict: true });
      const times = record.noticed(lost);
      figure(name, 'sockets', lost.length);
      figure(
        name,
        'told after, median and last',
        `${ms(quantile(times, 0.5))}, ${ms(Math.max(...times))}`,
      );
      await load.sound({ strict: true });
    },
  );
});
