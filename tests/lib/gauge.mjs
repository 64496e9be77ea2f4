// What a process uses, as the kernel tells it.
import { readdirSync, readFileSync } from 'node:fs';

const kilobytes = (text, name) =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? NaN);

export class Gauge {
  constructor(pid) {
    this.pid = pid;
    this.cpu(); // from now on
  }

  read(name) {
    return readFileSync(`/proc/${this.pid}/${name}`, 'utf8');
  }

  // In MB: what is resident, what of it is no file (heap, stacks), the highest that was ever resident.
  memory() {
    const rollup = this.read('smaps_rollup');
    return {
      rss: kilobytes(rollup, 'Rss') / 1024,
      anonymous: kilobytes(rollup, 'Anonymous') / 1024,
      peak: kilobytes(this.read('status'), 'VmHWM') / 1024,
    };
  }

  descriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  threads() {
    return readdirSync(`/proc/${this.pid}/task`).length;
  }

  // Of CPU time that it has had.
  seconds() {
    return this.scheduled().ran;
  }

  scheduled() {
    let ran = 0;
    let waited = 0;
    for (const task of readdirSync(`/proc/${this.pid}/task`)) {
      const [run, wait] = this.read(`task/${task}/schedstat`).split(' ').map(Number);
      ran += run / 1e9;
      waited += wait / 1e9;
    }
    return { ran, waited };
  }

  // Since the last call: `used`, the share of a CPU that it had, and `busy`, the same and the time in which
  // it was ready to run while others had the CPU.
  cpu() {
    const { ran, waited } = this.scheduled();
    const now = performance.now() / 1000;
    const { last = { ran, waited, now: 0 } } = this;
    this.last = { ran, waited, now };
    const used = (ran - last.ran) / (now - last.now);
    return { used, busy: used + (waited - last.waited) / (now - last.now) };
  }
}
