// Nodes that are told to end: they take their leave, leave nothing behind, and nothing is lost between
// those that stay.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pause } from '../lib/cluster.mjs';
import { figure, figureMessages, ms, printFiguresAtEnd } from '../lib/figures.mjs';
import { underLoad } from '../lib/load.mjs';

printFiguresAtEnd();

test('SIGTERM under load', async () => {
  const name = 'SIGTERM under load';
  await underLoad({ nodes: 3 }, async ({ load, nodes, redis }) => {
    const leaving = load.record.bound.filter(({ node }) => node === nodes[1]);
    const ids = new Set(leaving.map(({ id }) => id.slice(0, 4)));
    const begun = performance.now();
    assert.equal(await nodes[1].terminate(), 0);
    figure(name, 'ended with 0 after', ms(performance.now() - begun));
    for (const id of ids) {
      const left = await redis.command('KEYS', `*${id}*`);
      assert.deepEqual(left, [], 'no trace of it in Redis, at once');
    }
    assert.equal(await redis.command('ZCARD', 'signalbox:{nodes}'), 2);
    await load.informed(1000, { strict: true });
    const times = load.record.noticed(leaving);
    figure(name, 'peers told within', ms(Math.max(...times)));
    figureMessages(name, await load.sound({ lossless: true, strict: true }));
  });
});

test('all nodes are told to end at the same time', async () => {
  await underLoad({ nodes: 3 }, async ({ nodes, redis, load }) => {
    const codes = await Promise.all(nodes.map((node) => node.terminate()));
    assert.deepEqual(codes, [0, 0, 0]);
    await load.end();
    assert.deepEqual(await redis.command('KEYS', 'socket:*'), []);
    assert.deepEqual(await redis.command('KEYS', 'signalbox:*'), []);
    assert.deepEqual(await redis.command('KEYS', 'room:*:sockets'), []);
    for (const room of await redis.command('KEYS', 'room:*'))
      assert.ok((await redis.command('TTL', room)) <= 900, `${room} is emptied`);
  });
});

test('three nodes are replaced one after the other: nothing is lost between those that stay', async () => {
  const name = 'rolling restart of three';
  await underLoad(
    { nodes: 3, load: { rooms: 8, interval: 40 } },
    async ({ load, nodes, cluster }) => {
      const begun = performance.now();
      for (const node of [...nodes]) {
        await cluster.add();
        assert.equal(await node.terminate(), 0);
        await load.settled();
      }
      figure(name, 'took', ms(performance.now() - begun));
      figureMessages(name, await load.sound({ lossless: true, strict: true }));
    },
  );
});

for (const hangs of [1200, 2500, 6000]) {
  test(`a node is told to end while Redis hangs for ${hangs} ms: cleaned up all the same`, async () => {
    const name = `SIGTERM, Redis hangs ${hangs} ms`;
    await underLoad({ nodes: 3 }, async ({ load, nodes, redis }) => {
      redis.pause();
      await pause(1000);
      const ended = nodes[1].terminate();
      await pause(hangs - 1000);
      redis.resume();
      assert.equal(await ended, 0);
      figureMessages(name, await load.sound());
    });
  });
}
