// Many idle clients on several nodes, and what they do to the latency of pairs. See README.md.
import { parseArgs } from 'node:util';
import { pause, table } from '../lib/pinned.mjs';
import { crowd, gaugesOf, pairs } from './measure.mjs';
import { startHostds } from './servers.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '150000' },
    nodes: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '120' },
  },
});
const kNodes = Number(values.nodes);
const kSeconds = Number(values.seconds);
const kEach = Math.ceil(Number(values.connections) / kNodes);
const kPairs = { count: 100, messages: 20 };
const kRamp = 1000;
const kUnloadedSeconds = 10;

// Children are not waited for otherwise (see process.mjs).
setInterval(() => {}, 1000);

async function end(generators) {
  const errors = (await Promise.all(generators.map((each) => each.end()))).flat();
  if (errors.length > 0) throw new Error(errors.join('; '));
}

// What becomes of the pairs' messages in that time. They are on the first node.
async function talk(server, seconds) {
  const generator = await pairs(server, kPairs);
  await pause(seconds * 1000);
  await end([generator]);
  return generator.scenarios.relay.latency_of_all;
}

const megabytes = (gauges) => gauges.reduce((sum, gauge) => sum + gauge.memory().rss, 0);

const server = await startHostds('hostd', { count: kNodes });
const gauges = gaugesOf(server);
const before = megabytes(gauges);
const unloaded = await talk(server, kUnloadedSeconds);
const crowds = [];
for (const port of server.ports) {
  crowds.push(await crowd({ port }, { count: kEach, ramp: kRamp }));
  console.log(`${kEach * crowds.length} clients sit in rooms`);
}
const loaded = await talk(server, kSeconds);
const after = megabytes(gauges);
const held = crowds.reduce((sum, { scenarios }) => sum + scenarios.idle.under_way, 0);
await end(crowds);
const pings = crowds.reduce(
  (sum, { scenarios }) => sum + scenarios.idle.notes['pings answered'],
  0,
);
await server.stop();
const each = ((after - before) * 1024) / (kEach * kNodes);

const row = (name, { p50, p99 }) => [name, String(p50), String(p99)];
console.log(
  table([['latency of pairs', 'p50 µs', 'p99 µs'], row('alone', unloaded), row('beside', loaded)]),
);
console.log(`p99 beside them / alone: ${(loaded.p99 / unloaded.p99).toFixed(2)}`);
console.log(`${held} clients held for ${kSeconds} s, ${pings} pings answered`);
console.log(`${each.toFixed(2)} kB of RSS for each client, all nodes together`);
process.exit(held === kEach * kNodes ? 0 : 1);
