// hostd on one CPU; redis-server and the load generator on another, where there is one.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { startHostd, startServer } from './hostd.mjs';
import { startRedis } from './redis.mjs';

// The CPUs that this process may use.
function cpus() {
  const list = /^Cpus_allowed_list:\s+(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

export const kServerCpu = cpus()[0];
export const kLoadCpu = cpus().at(-1);

// A line of a shell that moves it to the first CPU, or the first few, and lets it open what it may.
export const onServerCpus = (count = 1) =>
  `taskset -pc ${cpus().slice(0, count)} $$ >/dev/null; ulimit -n $(ulimit -Hn)`;

const moveToLoadCpu = ({ child }) =>
  execFileSync('taskset', ['-apc', String(kLoadCpu), String(child.pid)]);

// Unless told otherwise joins are limited, as they are by default.
const kUsual = { 'limits.join_enabled': true, 'log-level': 'warning' };

export async function startPinned(options = {}) {
  const server = await startServer({ ...kUsual, ...options }, { shell: onServerCpus() });
  moveToLoadCpu(server.redis);
  return server;
}

export async function startPinnedRedis() {
  const redis = await startRedis();
  moveToLoadCpu(redis);
  return redis;
}

// One of several on a Redis, on the first `cpuCount` CPUs.
export const startPinnedHostd = (redis, options = {}, cpuCount = 1) =>
  startHostd({ 'redis.url': redis.url, ...kUsual, ...options }, { shell: onServerCpus(cpuCount) });

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Rows of cells, the first of each to the left, the others to the right.
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
        )
        .join('  '),
    )
    .join('\n');
}
