// Sizes, speeds and times for people.

const kUnits = ['B', 'kB', 'MB', 'GB', 'TB'];
export const kSpan = 3000; // ms; a speed is that of so long a time

export function bytesText(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < kUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${kUnits[unit]}`;
}

export function timeText(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// How fast something grows.
export class Speed {
  samples = [];

  add(bytes, now = performance.now()) {
    this.samples.push({ bytes, now });
    while (now - this.samples[0].now > kSpan && this.samples.length > 2) this.samples.shift();
  }

  // Bytes a second; 0 when it is not known.
  get value() {
    const first = this.samples.at(0);
    const last = this.samples.at(-1);
    const ms = last ? last.now - first.now : 0;
    return ms > 0 ? ((last.bytes - first.bytes) * 1000) / ms : 0;
  }
}
