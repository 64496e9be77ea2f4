// Random sequences of faults: what a seed chooses, and one run of it under load.
import { kTtl, pause } from '../lib/cluster.mjs';
import { underLoad } from '../lib/load.mjs';
import { Random } from '../lib/random.mjs';

// Each: how it begins; it gives how it ends, if anything has to. `index` chooses the node.
const kFaults = {
  'node killed': async ({ node, cluster, load }) => {
    await load.kill(node);
    return () => cluster.add();
  },
  'node told to end': async ({ node, cluster }) => {
    const code = await node.terminate();
    if (code !== 0 && code !== null) throw new Error(`${node.name} ended with ${code}`);
    return () => cluster.add();
  },
  'node stopped': ({ node }) => {
    node.pause();
    return () => node.resume();
  },
  ...Object.fromEntries(
    ['hole', 'deaf', 'cut', 'delay'].map((mode) => [
      `line ${mode}`,
      ({ node, random }) => {
        node.disturb(mode, random.between(100, 2500));
        return () => node.proxy.heal();
      },
    ]),
  ),
  'Redis killed': async ({ redis }) => {
    await redis.kill();
    return () => redis.restart();
  },
  'Redis stopped': ({ redis }) => {
    redis.pause();
    return () => redis.resume();
  },
  'Redis emptied': ({ redis }) => {
    if (redis.state === 'up') redis.command('FLUSHALL').catch(() => {});
  },
  'clients gone': ({ load, random }) => {
    for (const member of load.bound)
      if (random.next() < 0.4) member.end(random.next() < 0.5 ? 'close' : 'reset');
  },
  'clients left over HTTP': async ({ load, node, random }) => {
    const leaving = load.bound.filter(() => random.next() < 0.3);
    await Promise.all(leaving.map((member) => member.leave(node).catch(() => member.end('reset'))));
  },
};

// { nodes, appendonly, faults: [{ at, kind, index, forMs, seed }] }, the same for the same seed.
export function planOf(seed) {
  const random = new Random(seed);
  const faults = [];
  const count = 3 + random.below(5);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const kind = random.pick(Object.keys(kFaults));
    const forMs = Math.round(kTtl * random.pick([0.2, 0.5, 1, 1.5, 2, 3]));
    faults.push({ at, kind, index: random.below(1000), forMs, seed: random.below(2 ** 31) });
    at += Math.round(random.pick([0, 20, 200, 0.5 * kTtl, kTtl]));
  }
  return { nodes: 3 + random.below(2), appendonly: random.next() < 0.5, faults };
}

export const describe = ({ nodes, appendonly, faults }) =>
  [
    `${nodes} nodes, Redis ${appendonly ? 'keeps its data' : 'forgets'}`,
    ...faults.map(({ at, kind, index, forMs }) => `${at} ms: ${kind}, node ${index}, ${forMs} ms`),
  ].join('\n  ');

// Carries out the plan and checks everything at its end; gives what became of the messages.
export function run(seed) {
  const plan = planOf(seed);
  const options = {
    nodes: plan.nodes,
    appendonly: plan.appendonly,
    proxied: true,
    load: { members: 4, rooms: 5, seed },
  };
  return underLoad(options, async (world) => {
    const { cluster, load } = world;
    const begun = performance.now();
    await Promise.all(
      plan.faults.map(async ({ at, kind, index, forMs, seed: choice }) => {
        await pause(at);
        // Never the last one that is up: there has to be somebody to come back to.
        const { up } = cluster;
        if (up.length < 2 && kind.startsWith('node')) return;
        const node = up[index % up.length] ?? cluster.living[0];
        const end = await kFaults[kind]({ ...world, node, random: new Random(choice) });
        await pause(forMs);
        await end?.();
      }),
    );
    await cluster.heal();
    const lasted = performance.now() - begun;
    return { ...(await load.sound({ ms: 20000 })), lasted, refused: load.refused };
  });
}
