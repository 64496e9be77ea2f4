// What /metrics tells, read: Prometheus's text format, version 0.0.4.

const kLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const kLabel = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

const number = (text) => (text === '+Inf' ? Infinity : Number(text));

export class Metrics {
  constructor(text) {
    this.samples = new Map();
    for (const line of text.split('\n')) {
      const found = kLine.exec(line);
      if (!found) continue; // a comment
      const [, name, labels = '', value] = found;
      const sample = { labels: {}, value: number(value) };
      for (const [, key, content] of labels.matchAll(kLabel)) sample.labels[key] = content;
      if (!this.samples.has(name)) this.samples.set(name, []);
      this.samples.get(name).push(sample);
    }
  }

  all(name) {
    return this.samples.get(name) ?? [];
  }

  values(name) {
    return this.all(name).map(({ value }) => value);
  }

  sum(name) {
    return this.values(name).reduce((sum, value) => sum + value, 0);
  }

  most(name) {
    return Math.max(0, ...this.values(name));
  }

  // Of a histogram: [[bound in seconds, how many were up to it]...], growing.
  buckets(name) {
    return this.all(`${name}_bucket`).map(({ labels, value }) => [number(labels.le), value]);
  }
}

// The time that `share` of those in `now` and not in `before` took at most, in seconds, as Prometheus's
// histogram_quantile() estimates it; null where there were none.
export function quantile(share, now, before) {
  const grown = now.map(([bound, count], i) => [bound, count - (before[i]?.[1] ?? 0)]);
  const all = grown.at(-1)?.[1] ?? 0;
  if (all <= 0) return null;
  const rank = share * all;
  const i = grown.findIndex(([, count]) => count >= rank);
  const [low, below] = i > 0 ? grown[i - 1] : [0, 0];
  const [high, upTo] = grown[i];
  if (high === Infinity) return low;
  return low + ((high - low) * (rank - below)) / (upTo - below);
}
