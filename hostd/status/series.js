// The last minutes of what is drawn.

import { quantile } from './metrics.js';

const kKept = 150; // samples
const kWindow = 15; // samples that a latency is told of: single ones jump

const kHistograms = {
  join: 'signalbox_join_duration_seconds',
  relay: 'signalbox_relay_duration_seconds',
  redis: 'signalbox_redis_round_trip_seconds',
};
export const kDropped = {
  signalbox_sessions_dropped_total: 'session closed',
  signalbox_messages_dropped_total: 'message dropped',
  signalbox_events_dropped_total: 'event dropped',
};
// What is told of a second, by the counters that make it.
const kRates = {
  relays: ['signalbox_relays_total'],
  joins: ['signalbox_joins_total'],
  refused: ['signalbox_refused_total'],
  dropped: Object.keys(kDropped),
  cpu: ['process_cpu_seconds_total'],
};

export class Series {
  constructor() {
    this.samples = []; // { at, metrics }
    this.points = []; // { at, sessions, relays, ... }
  }

  add(at, metrics) {
    const start = metrics.sum('process_start_time_seconds');
    if (this.start !== start) Object.assign(this, { start, samples: [], points: [] }); // another process
    this.samples.push({ at, metrics });
    const last = this.samples.at(-2);
    const seconds = last ? (at - last.at) / 1000 : 0;
    const point = { at, sessions: metrics.sum('signalbox_sessions') };
    for (const [key, names] of Object.entries(kRates)) {
      const grown = names.map((name) => metrics.sum(name) - (last?.metrics.sum(name) ?? 0));
      point[key] = last ? grown.reduce((sum, each) => sum + each, 0) / seconds : null;
    }
    const before = this.samples.at(-1 - kWindow) ?? this.samples[0];
    for (const [key, name] of Object.entries(kHistograms)) {
      for (const share of [0.5, 0.99]) {
        const time = quantile(share, metrics.buckets(name), before.metrics.buckets(name));
        point[`${key}${share * 100}`] = time === null ? null : time * 1000;
      }
    }
    this.points.push(point);
    this.samples = this.samples.slice(-1 - kWindow);
    this.points = this.points.slice(-kKept);
    return point;
  }

  // How long ago the first point was, in ms.
  get age() {
    return this.points.at(-1).at - this.points[0].at;
  }

  // Refusals of one metric by cause: [{ cause, total, rate }], the most frequent first.
  causes(name) {
    const { at, metrics } = this.samples.at(-1);
    const before = this.samples[0];
    const seconds = (at - before.at) / 1000;
    const earlier = new Map(before.metrics.all(name).map(({ labels, value }) => [labels.cause, value]));
    return metrics
      .all(name)
      .map(({ labels: { cause }, value }) => ({
        cause,
        total: value,
        rate: seconds > 0 ? (value - (earlier.get(cause) ?? 0)) / seconds : 0,
      }))
      .sort((a, b) => b.total - a.total || a.cause.localeCompare(b.cause));
  }
}
