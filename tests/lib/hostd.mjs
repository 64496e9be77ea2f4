// The daemon under test: HOSTD (default: build/hostd/hostd), started with a Redis of the test's own.
// HOSTD_WORKERS=3 in the environment gives it three workers where a test does not say how many,
// HOSTD_TLS=1 has it speak TLS where a test does not speak of that.
import { fileURLToPath } from 'node:url';
import { start } from './process.mjs';
import { startRedis } from './redis.mjs';
import { expectTls, makeCertificate, tlsOptions } from './tls.mjs';
import { within } from './wait.mjs';

export const kHostd =
  process.env.HOSTD || fileURLToPath(new URL('../../build/hostd/hostd', import.meta.url));

const kVariables = [
  'BACKEND_PORT',
  'REDIS_HOST',
  'REDIS_PORT',
  'CORS_ORIGIN',
  'NODE_ENV',
  'DISABLE_JOIN_RATE_LIMIT',
];

// The flags of options that are not null; an array is taken as it is.
const flags = (options) =>
  Array.isArray(options)
    ? options
    : Object.entries(options).flatMap(([name, value]) =>
        value === null ? [] : [`--${name}`, String(value)],
      );

// Starts the binary with exactly these options; `shell` is a line to run before it ("ulimit -n 64"),
// `under` a command that runs it (['valgrind']).
function launch(options, { env = {}, shell, under = [] } = {}) {
  const clean = { ...process.env };
  for (const name of Object.keys(clean)) {
    if (kVariables.includes(name) || name.startsWith('SIGNALBOX_')) delete clean[name];
  }
  const environment = { env: { ...clean, ...env } };
  const [command, ...args] = [...under, kHostd, ...flags(options)];
  if (!shell) return start(command, args, environment);
  return start('sh', ['-c', `${shell}; exec "$0" "$@"`, command, ...args], environment);
}

// Runs it to its end, for calls that must fail: { code, signal, stdout, stderr }.
export async function runHostd(options, settings) {
  const child = launch(options, settings);
  const end = await within(child.exited, 'end of hostd', { detail: () => child.output.stderr });
  return { ...end, ...child.output };
}

// No limits of addresses: the clients of a test share one.
const kUnlimited = Object.fromEntries([
  ['limits.join_enabled', false],
  ...['create', 'check', 'guess', 'track', 'ice', 'packet'].map((what) => [`limits.${what}_count`, 0]),
]);

let certificate;
const usualTls = () =>
  process.env.HOSTD_TLS ? tlsOptions((certificate ??= makeCertificate())) : {};

// Starts it and waits until it listens. Options that are given as null are left out. Unless told
// otherwise it listens on a free port of 127.0.0.1 and limits no address.
export async function startHostd(options = {}, settings) {
  const defaults = {
    'listen.host': '127.0.0.1',
    'listen.port': 0,
    ...kUnlimited,
    workers: process.env.HOSTD_WORKERS ?? null,
  };
  const all = { ...defaults, ...usualTls(), ...options };
  const child = launch(all, settings);
  const ready = new Promise((resolve, reject) => {
    child.stdout.on('data', () => {
      const match = /^signalbox listening on https?:\/\/\S+:(\d+)$/m.exec(child.output.stdout);
      if (match) resolve(Number(match[1]));
    });
    child.exited.then(
      ({ code, signal }) =>
        reject(new Error(`hostd ended (${code ?? signal}): ${child.output.stderr}`)),
      reject,
    );
  });
  const port = await within(ready, 'ready line of hostd', { detail: () => child.output.stderr });
  if (all['tls.cert']) expectTls(port, all['tls.cert']);
  return new Hostd(child, port, all['tls.cert'] ? 'https' : 'http');
}

class Hostd {
  constructor(child, port, scheme) {
    this.child = child;
    this.pid = child.pid;
    this.port = port;
    this.url = `${scheme}://127.0.0.1:${port}`;
    this.exited = child.exited;
  }

  get log() {
    return this.child.output.stderr;
  }

  // The first line of the log that matches, once it is there.
  async logged(pattern) {
    const seen = new Promise((resolve) => {
      const look = () => {
        const line = this.log.split('\n').find((each) => pattern.test(each));
        if (line !== undefined) resolve(line);
      };
      this.child.stderr.on('data', look);
      look();
    });
    return within(seen, `log line ${pattern}`, { detail: () => this.log.slice(-1000) });
  }

  // Ends it as a service manager would. A crash, a leak (under a sanitizer) or a hang is an error.
  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null) this.child.kill(signal);
    const end = await within(this.exited, `end of hostd after ${signal}`).catch((error) => {
      this.child.kill('SIGKILL');
      throw error;
    });
    if (end.code !== 0) {
      throw new Error(`hostd ended with ${end.code ?? end.signal}: ${this.log.slice(-4000)}`);
    }
    return end;
  }
}

// hostd beside a Redis of its own: { hostd, redis, url, port, stop() }.
export async function startServer(options = {}, settings) {
  const redis = await startRedis();
  try {
    const hostd = await startHostd({ 'redis.url': redis.url, ...options }, settings);
    return {
      hostd,
      redis,
      url: hostd.url,
      port: hostd.port,
      async stop() {
        await hostd.stop().finally(() => redis.stop());
      },
    };
  } catch (error) {
    await redis.stop();
    throw error;
  }
}
