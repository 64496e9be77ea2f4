// Clients that mean harm, in numbers, beside a few that do not. See README.md.
import { parseArgs } from 'node:util';
import { kLoadCpu, pause, startPinned, table } from '../lib/pinned.mjs';
import { Gauge } from '../lib/gauge.mjs';
import { Generator } from '../lib/generator.mjs';

// Each with what it does, for so many seconds. `options` are hostd's, where not the defaults; of those
// that fill the server up newcomers feel more than its bystanders.
const kAttacks = {
  'slow-loris': {
    scenario: 'loris:count=10000,ramp=2000',
    seconds: 45,
    says: '10,000 connections that send a byte of a header each 2 s',
  },
  'slow-readers': {
    scenario: 'slow:count=1000,ramp=200,flood=100000',
    seconds: 60,
    says: '1,000 readers that stop reading while their peers send them 100 kB/s each',
  },
  'abandoned-polling': {
    scenario: 'abandon:rate=2500,limit=2000',
    seconds: 40,
    says: '100,000 handshakes of polling, after which nothing is heard',
    fillsUp: true,
  },
  'packet-flood': {
    scenario: 'flood:count=256,packets=5000',
    seconds: 30,
    options: { 'limits.packet_count': null },
    says: '256 clients that send 5,000 packets a second each, as far as their connections take them',
  },
};
// Who was there before, and who comes meanwhile.
const kBystanders = 'relay:count=5,messages=20';
const kNewcomers = 'session:rate=2,limit=100';
const kCalm = 10; // seconds before and after

const {
  positionals: [name],
  values,
} = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string' } } });
const attack = kAttacks[name];
if (!attack) {
  console.error(`usage: tests/soak/attack ${Object.keys(kAttacks).join('|')}`);
  process.exit(2);
}

const latencies = ({ latency }) => [latency.count, latency.p50, latency.p99, latency.max].map(String);
const started = Date.now();

const server = await startPinned(attack.options);
const gauge = new Gauge(server.hostd.pid);
const rest = gauge.memory();
const bystanders = Generator.start(server, [kBystanders], { report: kCalm, cpu: kLoadCpu });
const newcomers = Generator.start(server, [kNewcomers], { cpu: kLoadCpu });
let most = rest;
let mostDescriptors = 0;

// Lets `seconds` pass and gives what the bystanders felt in them.
async function watch(seconds, phase) {
  const rows = [];
  const end = performance.now() + seconds * 1000;
  let seen = bystanders.report;
  gauge.cpu();
  while (performance.now() < end) {
    await pause(200);
    const memory = gauge.memory();
    if (memory.rss > most.rss) most = memory;
    mostDescriptors = Math.max(mostDescriptors, gauge.descriptors());
    const report = bystanders.report;
    if (report === seen) continue;
    seen = report;
    const seconds_ = ((Date.now() - started) / 1000).toFixed(0);
    const { rss } = memory;
    const cpu = (gauge.cpu().used * 100).toFixed(0);
    rows.push([phase, seconds_, rss.toFixed(1), cpu, ...latencies(report.scenarios.relay)]);
  }
  return rows;
}

const rows = [['', 's', 'RSS MB', 'CPU %', 'relays', 'p50 us', 'p99 us', 'most us']];
rows.push(...(await watch(kCalm * 2, 'before')));
const attackers = Generator.start(server, [attack.scenario], { cpu: kLoadCpu });
rows.push(...(await watch(Number(values.seconds ?? attack.seconds), 'attack')));
attackers.child.kill('SIGKILL');
rows.push(...(await watch(kCalm * 2, 'after')));
const errors = await bystanders.end();
const refused = await newcomers.end();
const { peak } = gauge.memory();

console.log(`${name}: ${attack.says}\n${table(rows)}`);
const [figures] = Object.values(attackers.scenarios);
console.log(
  `attackers: ${figures.started} begun, ${figures.finished} ended; ` +
    Object.entries({ ...figures.notes, ...figures.errors })
      .map(([kind, times]) => `${kind}: ${times}`)
      .join(', '),
);
const { session } = newcomers.scenarios;
console.log(`newcomers: ${session.started} begun; ${refused.join(', ') || 'all were served'}`);
console.log(
  `peak RSS ${peak.toFixed(1)} MB (${rest.rss.toFixed(1)} MB at rest), ${mostDescriptors} ` +
    `descriptors; ${errors.length === 0 ? 'the bystanders were served' : errors.join(', ')}`,
);
await server.stop();
process.exit(errors.length === 0 && (attack.fillsUp || refused.length === 0) ? 0 : 1);
