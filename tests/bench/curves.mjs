// What the picture shows: figures of each server over a growing load.
import { cpuSeconds, crowd, gaugesOf, kill, pairs, withServer } from './measure.mjs';

// `most` idle clients, of which `ramp` come in a second.
const kCurves = {
  floor: { most: 18_000, ramp: 3000 },
  hostd: { most: 18_000, ramp: 3000 },
  node: { most: 6000, ramp: 400 },
};
const kIdleStep = 3000;
const kPairs = { count: 200, messages: 100 };
const kFactor = 1 / (kPairs.count * kPairs.messages); // for one message a second
const kRates = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];
const kRateBesideIdle = 4000;
const kRateWhileTheyCome = 1000; // so that they find a server with time
const kReportSeconds = 1;
// Less than this share of what was sent in a second means that the server, or the load, is at its end.
const kCarried = 0.95;

// [idle clients, µs a message]
const costByIdle = (name, { most, ramp }) =>
  withServer(name, async (server) => {
    const gauges = gaugesOf(server);
    const talk = await pairs(server, kPairs, kReportSeconds);
    const crowds = [];
    const points = [];
    for (let idle = 0; idle <= most; idle += kIdleStep) {
      talk.scale(kRateWhileTheyCome * kFactor);
      if (idle > 0) crowds.push(await crowd(server, { count: kIdleStep, ramp }));
      talk.scale(kRateBesideIdle * kFactor);
      const { received } = (await talk.reported()).relay;
      const begin = cpuSeconds(gauges);
      const count = (await talk.reported()).relay.received - received;
      points.push([idle, ((cpuSeconds(gauges) - begin) / count) * 1e6]);
    }
    await kill([talk, ...crowds]);
    return points;
  });

// [messages a second, p50, p99], in µs, as far as it carries them
const latencyByLoad = (name) =>
  withServer(name, async (server) => {
    const talk = await pairs(server, kPairs, kReportSeconds);
    const points = [];
    for (const rate of kRates) {
      talk.scale(rate * kFactor);
      const { received } = (await talk.reported()).relay;
      const { relay } = await talk.reported();
      if (relay.received - received < kCarried * rate) break;
      points.push([rate, relay.latency.p50, relay.latency.p99]);
    }
    await kill([talk]);
    return points;
  });

// By server: { cost, latency }.
export async function measureCurves(isWanted) {
  const curves = {};
  for (const [name, crowds] of Object.entries(kCurves)) {
    if (!isWanted(name)) continue;
    curves[name] = { cost: await costByIdle(name, crowds), latency: await latencyByLoad(name) };
  }
  return curves;
}
