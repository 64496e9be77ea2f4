// hostd under a mix of everything that clients do, for a long time, and what it then has kept of it. See
// README.md.
import { parseArgs } from 'node:util';
import { get } from '../lib/http.mjs';
import { immortal, redisComplaints } from '../lib/redis_state.mjs';
import { kLoadCpu, kServerCpu, pause, startPinned, table } from '../lib/pinned.mjs';
import { Gauge } from '../lib/gauge.mjs';
import { Generator } from '../lib/generator.mjs';
import { trend } from './trend.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    'warm-up': { type: 'string', default: '5' },
    seconds: { type: 'string' },
    cpu: { type: 'string', default: '80' },
  },
});
const kMeasured = values.seconds ? Number(values.seconds) : Number(values.minutes) * 60;
const kWarmUp = values.seconds ? 2 : Number(values['warm-up']) * 60;
const kCpu = Number(values.cpu) / 100;

// At a scale of 1 all this uses somewhat less than a tenth of a core.
const kMix = [
  'relay:count=100,messages=20,candidates=3',
  'session:rate=15',
  'polling:rate=4',
  'abort:rate=30',
  'slow:rate=0.2',
  `idle:count=${values.seconds ? 200 : 1000}`,
];
// Heartbeats more often than by default, and rooms and limits that end soon, so that many of them do.
const kOptions = {
  'engineio.ping_interval': values.seconds ? 1000 : 10000,
  'engineio.ping_timeout': values.seconds ? 4000 : 20000,
  'rooms.empty_ttl': values.seconds ? 3 : 30,
  'limits.create_window': 60,
};

const kMostOfGenerator = 0.85; // of its core; Redis is there, too
const kSample = 2; // seconds between two
const kSteer = 6; // seconds between two corrections of the rate
const kRow = Math.max(kSample, Math.min(60, kMeasured / 5)); // seconds between two lines of the table
const kMostSlope = 1; // MB an hour
const kShortest = 600; // seconds below which a slope says nothing
const kSettling = 90; // seconds in which everything must have ended after the last client

// The rate at which hostd is busy for `kCpu` of the time: boldly at first, then so little at a time that
// memory does not follow. On a machine that does nothing else, busy is what it uses of its core.
class Steering {
  constructor(generator) {
    this.generator = generator;
    this.gauge = new Gauge(generator.pid);
    this.scale = 1;
    this.skipped = 0;
  }

  correct(busy, bold) {
    const skipped = Object.values(this.generator.scenarios).reduce(
      (sum, figures) => sum + figures.skipped,
      0,
    );
    const [least, most] = bold ? [0.7, 1.4] : [0.98, 1.02];
    let factor = Math.min(most, Math.max(least, kCpu / Math.max(busy, 0.01)));
    // The load's own core is what has no more to give: latencies would be those of the generator.
    const strained = this.gauge.cpu().busy > kMostOfGenerator;
    if (strained || skipped > this.skipped) factor = 0.9;
    this.skipped = skipped;
    this.scale *= factor;
    this.generator.scale(this.scale);
  }
}

class Soak {
  constructor(server, generator) {
    Object.assign(this, { server, generator });
    this.hostd = new Gauge(server.hostd.pid);
    this.shared = new Gauge(server.hostd.pid); // for the steering
    this.steering = new Steering(generator);
    this.samples = [];
    this.faults = []; // requests of our own that were not served
    this.began = performance.now();
    this.idle = null;
  }

  get now() {
    return (performance.now() - this.began) / 1000;
  }

  async sample() {
    const [health, keys, info] = await Promise.all([
      get(this.server, '/health/detailed'),
      this.server.redis.command('DBSIZE'),
      this.server.redis.command('INFO', 'memory'),
    ]);
    return {
      at: this.now,
      ...this.hostd.memory(),
      descriptors: this.hostd.descriptors(),
      threads: this.hostd.threads(),
      sessions: health.json.dependencies.socketio.connections,
      keys,
      redis: Number(/^used_memory:(\d+)/m.exec(info)[1]) / 2 ** 20,
      ...this.hostd.cpu(),
    };
  }

  async run() {
    let steered = this.now;
    let printed = this.now;
    const rows = [];
    while (this.now < kWarmUp + kMeasured) {
      await pause(kSample * 1000);
      if (this.generator.child.exitCode !== null) return;
      try {
        this.samples.push(await this.sample());
      } catch (error) {
        this.faults.push(`${error.message}, after ${this.now.toFixed(0)} s`);
        continue;
      }
      if (this.now - steered >= kSteer) {
        steered = this.now;
        this.steering.correct(this.shared.cpu().busy, this.now < kWarmUp);
      }
      if (this.now - printed >= kRow) {
        printed = this.now;
        rows.push(this.row());
        if (rows.length === 1) console.log(kHeading.join('  '));
        console.log(
          rows.at(-1).map((cell, index) => cell.padStart(kHeading[index].length)).join('  '),
        );
      }
    }
  }

  // The means since the last row.
  row() {
    const recent = this.samples.filter(({ at }) => at > this.now - kRow);
    const mean = (key) => recent.reduce((sum, sample) => sum + sample[key], 0) / recent.length;
    const { relay, session } = this.generator.scenarios;
    return [
      `${(this.now / 60).toFixed(1)}${this.now < kWarmUp ? ' w' : ''}`,
      (mean('used') * 100).toFixed(0),
      (mean('busy') * 100).toFixed(0),
      this.steering.scale.toFixed(2),
      mean('rss').toFixed(2),
      mean('anonymous').toFixed(2),
      mean('descriptors').toFixed(0),
      mean('sessions').toFixed(0),
      mean('keys').toFixed(0),
      mean('redis').toFixed(1),
      String(relay?.latency.p50 ?? '-'),
      String(relay?.latency.p99 ?? '-'),
      String(session?.finished ?? '-'),
    ];
  }

  get measured() {
    return this.samples.filter(({ at }) => at >= kWarmUp);
  }
}

const kHeading = [
  '   min',
  'CPU %',
  'busy %',
  'scale',
  'RSS MB',
  'heap MB',
  'descriptors',
  'sessions',
  'keys',
  'Redis MB',
  'relay p50 us',
  'p99 us',
  'sessions done',
];

// What has not come back to how it was before the first client.
async function remains(server, gauge, before) {
  const complaints = [];
  const now = gauge.descriptors();
  if (now > before.descriptors) complaints.push(`${now} descriptors, ${before.descriptors} before`);
  if (gauge.threads() > before.threads) complaints.push(`${gauge.threads()} threads`);
  const { json } = await get(server, '/health/detailed');
  const sessions = json.dependencies.socketio.connections;
  if (sessions > 0) complaints.push(`${sessions} sessions`);
  complaints.push(...(await redisComplaints(server.redis, new Map(), 1)));
  complaints.push(...(await immortal(server.redis)));
  const rooms = (await server.redis.command('KEYS', 'room:*')).length;
  if (rooms > 0) complaints.push(`${rooms} rooms`);
  return complaints;
}

async function settle(server, gauge, before) {
  const end = performance.now() + kSettling * 1000;
  for (;;) {
    await pause(1000);
    const complaints = await remains(server, gauge, before);
    if (complaints.length === 0 || performance.now() > end) return complaints;
  }
}

function describe(samples) {
  const rows = [['', 'least', 'median', 'most', 'slope an hour', '± (standard error)']];
  for (const key of ['used', 'busy', 'rss', 'anonymous', 'descriptors', 'sessions', 'keys', 'redis']) {
    const sorted = samples.map((sample) => sample[key]).sort((a, b) => a - b);
    const { slope, error } = trend(samples.map((sample) => ({ at: sample.at, value: sample[key] })));
    const figures = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1), slope, error];
    rows.push([key, ...figures.map((figure) => figure.toFixed(2))]);
  }
  return table(rows);
}

function judge(samples) {
  const { slope, error, points } = trend(samples.map(({ at, rss }) => ({ at, value: rss })));
  const text = `${slope.toFixed(2)} ± ${error.toFixed(2)} MB an hour`;
  console.log(`RSS: ${text}, from ${samples.length} samples in ${points} means`);
  if (kMeasured < kShortest) {
    console.log('too short to judge the slope');
    return [];
  }
  return slope < kMostSlope ? [] : [`RSS grows by ${text}`];
}

const server = await startPinned(kOptions);
const faults = [];
try {
  const gauge = new Gauge(server.hostd.pid);
  const before = { descriptors: gauge.descriptors(), threads: gauge.threads() };
  const rest = gauge.memory();
  console.log(
    `hostd (pid ${server.hostd.pid}) on CPU ${kServerCpu}, load and Redis on CPU ${kLoadCpu}; ` +
      `at rest ${rest.rss.toFixed(1)} MB, ${before.descriptors} descriptors`,
  );
  const generator = Generator.start(server, kMix, { cpu: kLoadCpu });
  const soak = new Soak(server, generator);
  await soak.run();
  faults.push(...soak.faults);
  faults.push(...(await generator.end()));
  faults.push(...(await settle(server, gauge, before)));
  const after = gauge.memory();

  console.log(`\n${describe(soak.measured)}\n`);
  for (const [name, figures] of Object.entries(generator.scenarios)) {
    const { started, finished, skipped, sent, received, latency_of_all: latency } = figures;
    console.log(
      `${name}: ${started} begun, ${finished} ended, ${skipped} skipped; ${sent} messages sent, ` +
        `${received} received; latency p50 ${latency.p50}, p99 ${latency.p99}, most ${latency.max} us`,
    );
  }
  console.log(
    `at rest again: RSS ${after.rss.toFixed(1)} MB (${rest.rss.toFixed(1)} before, ` +
      `${after.peak.toFixed(1)} at most), ${gauge.descriptors()} descriptors`,
  );
  faults.push(...judge(soak.measured));
  if (server.hostd.log.trim() !== '') console.log(`hostd logged:\n${server.hostd.log.slice(-2000)}`);
} finally {
  await server.stop().catch((error) => faults.push(error.message));
}
for (const fault of faults.slice(0, 30)) console.log(`WRONG: ${fault}`);
console.log(faults.length === 0 ? 'sound' : `not sound: ${faults.length} complaints`);
process.exit(faults.length === 0 ? 0 : 1);
