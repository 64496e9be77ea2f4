// How long something took, where a test has a bound for it: as stopwatch.h, which says why a bound is
// given as much time again as the processors have worked meanwhile.
import { readFileSync } from 'node:fs';

const kMsPerTick = 10; // USER_HZ of Linux

export class Stopwatch {
  #begin = performance.now();
  #busyAtBegin = machineBusyMs();

  get elapsedMs() {
    return performance.now() - this.#begin;
  }

  // Of all processors together, since the beginning.
  get busyMs() {
    return machineBusyMs() - this.#busyAtBegin;
  }
}

// The first line of /proc/stat, proc(5).
function machineBusyMs() {
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const [user, nice, system, , , irq, softirq, steal] = line.split(/ +/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * kMsPerTick;
}
