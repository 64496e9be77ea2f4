// What a server under load costs.
import { Gauge } from '../lib/gauge.mjs';
import { Generator } from '../lib/generator.mjs';
import { kLoadCpu } from '../lib/pinned.mjs';
import { kServers, roundTrips } from './servers.mjs';

const kReportSeconds = 0.5;

export const gaugesOf = ({ pids }) => pids.map((pid) => new Gauge(pid));
export const cpuSeconds = (gauges) => gauges.reduce((sum, gauge) => sum + gauge.seconds(), 0);

const start = (server, scenario, report = kReportSeconds) =>
  Generator.start(server, [scenario], { report, cpu: kLoadCpu });

async function until(generator, settled) {
  while (!settled(await generator.reported())) {
    if (generator.errors.length > 0) throw new Error(generator.errors.join('; '));
  }
}

async function begun(server, scenario) {
  const generator = start(server, scenario);
  await generator.reported();
  return generator;
}

// A load of `count` clients that sit in their rooms by now.
export async function crowd(server, { count, ramp }) {
  const generator = start(server, `idle:count=${count},ramp=${ramp}`);
  await until(generator, ({ idle }) => idle.received >= count);
  return generator;
}

// A load of `count` pairs, all of which have met by now; until then they say little, so that a server
// that they will keep busy can let all of them in.
export async function pairs(server, { count, messages, polling = 0 }, report) {
  const scenario = `relay:count=${count},messages=${messages},polling=${polling}`;
  const generator = start(server, scenario, report);
  generator.scale(0.1);
  await until(generator, ({ relay }) => relay.notes.met >= count);
  generator.scale(1);
  return generator;
}

export async function withServer(name, use) {
  const server = await kServers[name](name);
  try {
    return await use(server);
  } catch (error) {
    throw new Error(`with ${name}`, { cause: error });
  } finally {
    await server.stop();
  }
}

// Ends them without waiting for what is under way, of which there may be much if the server was too slow.
export async function kill(generators) {
  const errors = generators.flatMap((each) => each.errors);
  if (errors.length > 0) throw new Error(errors.join('; '));
  for (const { child } of generators) child.kill('SIGKILL');
  await Promise.all(generators.map(({ exited }) => exited));
}

// One row of a scenario: CPU time (all nodes, Redis apart) for each of what is counted.
export const measureCost = (row, { of, counts = 'received' }, seconds) =>
  withServer(row.server, async (server) => {
    const others = row.crowd ? [await crowd(server, row.crowd)] : [];
    const generator = row.pairs ? await pairs(server, row.pairs) : await begun(server, row.load);
    const gauges = gaugesOf(server);
    const redis = server.redis && new Gauge(server.redis.child.pid);
    const first = (await generator.reported())[of];
    const begin = { cpu: cpuSeconds(gauges), redis: redis?.seconds(), at: performance.now() };
    const trips = redis ? await roundTrips(server) : 0;
    for (let i = 1; i < seconds / kReportSeconds; ++i) await generator.reported();
    const last = (await generator.reported())[of];
    const passed = (performance.now() - begin.at) / 1000;
    const cpu = cpuSeconds(gauges) - begin.cpu;
    const redisCpu = redis ? redis.seconds() - begin.redis : 0;
    const asked = redis ? (await roundTrips(server)) - trips : 0;
    await kill([generator, ...others]);
    const count = last[counts] - first[counts];
    return {
      cost: (cpu / count) * 1e6,
      rate: count / passed,
      busy: cpu / passed,
      p50: last.latency.p50,
      redis: (redisCpu / count) * 1e6,
      trips: asked / count,
    };
  });

// What is resident for each idle client in a room, as the slope between `few` and `many` of them.
export const measureMemory = ({ server: name, few, many, ramp }) =>
  withServer(name, async (server) => {
    const [gauge] = gaugesOf(server);
    const first = await crowd(server, { count: few, ramp });
    const before = gauge.memory().rss;
    const rest = await crowd(server, { count: many - few, ramp });
    const after = gauge.memory().rss;
    await kill([first, rest]);
    return { few, many, before, after, each: ((after - before) * 1024) / (many - few) };
  });
