// A straight line through samples, and how far it is to be trusted.

// Means of `parts` equal spans of time: neighbouring samples depend on each other, means of longer spans
// hardly do.
function means(samples, parts) {
  const first = samples[0].at;
  const span = (samples.at(-1).at - first) / parts || 1;
  const groups = Array.from({ length: parts }, () => []);
  for (const sample of samples)
    groups[Math.min(parts - 1, Math.floor((sample.at - first) / span))].push(sample);
  const mean = (group, key) => group.reduce((sum, each) => sum + each[key], 0) / group.length;
  return groups
    .filter((group) => group.length > 0)
    .map((group) => ({ at: mean(group, 'at'), value: mean(group, 'value') }));
}

// `samples`: [{ at, value }], at in seconds. Gives the slope of the line of least squares per hour, and
// its standard error.
export function trend(samples, parts = 30) {
  const points = means(samples, parts);
  const count = points.length;
  if (count < 3) return { slope: NaN, error: NaN, points: count };
  const sum = (term) => points.reduce((total, point) => total + term(point), 0);
  const at = sum((point) => point.at) / count;
  const value = sum((point) => point.value) / count;
  const spread = sum((point) => (point.at - at) ** 2);
  const slope = sum((point) => (point.at - at) * (point.value - value)) / spread;
  const rest = sum((point) => (point.value - value - slope * (point.at - at)) ** 2);
  const error = Math.sqrt(rest / (count - 2) / spread);
  return { slope: slope * 3600, error: error * 3600, points: count };
}
