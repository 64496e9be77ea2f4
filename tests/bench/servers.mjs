// The servers that are compared, each on the first CPU, with a Redis of its own on the last where it
// needs one: { name, pids, port, peerPort, tls, redis (or null), stop() }. The second of each pair
// connects to `peerPort`, which is another one where there are several nodes.
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onServerCpus, pause, startPinnedHostd, startPinnedRedis } from '../lib/pinned.mjs';
import { freePort } from '../lib/ports.mjs';
import { start } from '../lib/process.mjs';
import { makeCertificate, tlsOptions } from '../lib/tls.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const kLoad = process.env.LOAD || path.join(here, '../../build/tests/bench/load');
const kFloor = path.join(path.dirname(kLoad), 'floor');
const kPeers = path.join(here, 'peers');
const kPatienceMs = 10_000;
// As many connections as its descriptors allow, and no time for farewells.
const kHostdOptions = { 'limits.connections': 19_900, 'shutdown.drain': 0 };

async function listening(port, child) {
  const connects = () =>
    new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  for (const end = performance.now() + kPatienceMs; !(await connects()); await pause(20)) {
    if (performance.now() > end || child.exitCode !== null) {
      throw new Error(`it does not listen: ${child.output.stderr}`);
    }
  }
}

async function startProgram(command, args, env = {}) {
  const port = await freePort();
  const script = `${onServerCpus()}; exec "$0" "$@"`;
  const child = start('sh', ['-c', script, command, ...args(port)], {
    env: { ...process.env, ...env },
  });
  await listening(port, child);
  return {
    pid: child.pid,
    port,
    async stop() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}

const together = (name, nodes, { redis = null, tls = false } = {}) => ({
  name,
  pids: nodes.map(({ pid }) => pid),
  port: nodes[0].port,
  peerPort: nodes.at(-1).port,
  ports: nodes.map(({ port }) => port),
  tls,
  redis,
  async stop() {
    await Promise.all(nodes.map((node) => node.stop())).finally(() => redis?.stop());
  },
});

export async function startHostds(name, { count = 1, cpuCount = 1, ...options } = {}) {
  const redis = await startPinnedRedis();
  const all = { ...kHostdOptions, ...options };
  const nodes = Array.from({ length: count }, () => startPinnedHostd(redis, all, cpuCount));
  return together(name, await Promise.all(nodes), { redis, tls: 'tls.cert' in options });
}

async function startPeers(name, runtime, { count = 1 } = {}) {
  const redis = await startPinnedRedis();
  const socket = redis.url.replace('unix://', '');
  const args = (port) => [path.join(kPeers, 'server.mjs'), String(port), socket];
  const env = count > 1 ? { ADAPTER: '1' } : {};
  const nodes = Array.from({ length: count }, () => startProgram(runtime, args, env));
  return together(name, await Promise.all(nodes), { redis });
}

// By name; what stands before a dash is the program, as --only has it.
export const kServers = {
  floor: async (name) => together(name, [await startProgram(kFloor, (port) => [String(port)])]),
  hostd: (name) => startHostds(name),
  'hostd-tls': (name) => startHostds(name, tlsOptions(makeCertificate())),
  'hostd-workers': (name) => startHostds(name, { workers: 2, cpuCount: 2 }),
  'hostd-cluster': (name) => startHostds(name, { count: 2 }),
  node: (name) => startPeers(name, process.execPath),
  'node-cluster': (name) => startPeers(name, process.execPath, { count: 2 }),
  bun: (name) => startPeers(name, path.join(kPeers, 'node_modules/.bin/bun')),
};

// How often Redis was asked something and answered. What a script calls, or stands in a transaction,
// goes with that one.
export async function roundTrips({ name, redis }) {
  const text = await redis.command('INFO', 'commandstats');
  const calls = (command) =>
    Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  if (name.startsWith('hostd')) return calls('evalsha') + calls('publish');
  // EXPIRE stands in the transactions of peers/server.mjs, and by itself.
  const alone = calls('expire') - calls('hset') - calls('zcard') - 2 * calls('set');
  const asked = ['get', 'hexists', 'scard', 'exec', 'publish'];
  return asked.reduce((sum, command) => sum + calls(command), alone);
}
