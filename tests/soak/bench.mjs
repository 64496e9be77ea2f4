// hostd on one CPU; redis-server and the load generator on another, where there is one.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { startServer } from '../lib/hostd.mjs';

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

// Unless told otherwise joins are limited, as they are by default.
export async function startPinned(options = {}) {
  const server = await startServer(
    { 'limits.join_enabled': true, 'log-level': 'warning', ...options },
    { shell: `taskset -pc ${kServerCpu} $$ >/dev/null; ulimit -n $(ulimit -Hn)` },
  );
  execFileSync('taskset', ['-apc', String(kLoadCpu), String(server.redis.child.pid)]);
  return server;
}

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
