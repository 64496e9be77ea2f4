// Several nodes on one Redis, and all that can befall them.
import { startHostd } from './hostd.mjs';
import { freePort } from './ports.mjs';
import { removeDirectory, temporaryDirectory } from './process.mjs';
import { Proxy } from './proxy.mjs';
import { startRedis } from './redis.mjs';
import { Stopwatch } from './stopwatch.mjs';
import { within } from './wait.mjs';

// With SIGNALBOX_LONG=1 the nodes keep the lease that they have by default, and faults last long enough
// to matter to it; without, everything is quicker.
export const kLong = process.env.SIGNALBOX_LONG === '1';
export const kTtl = kLong ? 10000 : 1500;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks until `probe` has no more complaints; gives the time that took. The last ones are told when they
// do not end.
export async function untilNone(probe, what, ms = 8000) {
  const stopwatch = new Stopwatch();
  for (;;) {
    const complaints = await probe();
    const passed = stopwatch.elapsedMs;
    if (complaints.length === 0) return passed;
    if (passed > ms + stopwatch.busyMs) throw new Error(`${what}: after ${ms} ms still\n${list(complaints)}`);
    await pause(20);
  }
}

export const list = (complaints) =>
  [...complaints.slice(0, 1200), ...(complaints.length > 12 ? [`(${complaints.length} in all)`] : [])]
    .map((line) => `  ${line}`)
    .join('\n');

// A Redis that can be killed and comes back at the same port, with or without what it knew.
export class FaultyRedis {
  // `flags` are added to its command line.
  static async start({ appendonly = false, flags = [] } = {}) {
    const redis = new FaultyRedis(await freePort(), appendonly, flags);
    await redis.restart();
    return redis;
  }

  constructor(port, appendonly, flags) {
    this.port = port;
    this.appendonly = appendonly;
    this.flags = flags;
    this.directory = temporaryDirectory();
    this.state = 'dead';
  }

  // Throws when it is not there, and when it does not answer.
  command(...args) {
    if (this.state !== 'up') throw new Error(`Redis is ${this.state}`);
    return within(this.server.command(...args), `answer to ${args[0]}`, { ms: 3000 });
  }

  pipeline(commands) {
    return Promise.all(commands.map((args) => this.command(...args)));
  }

  async restart() {
    if (this.state !== 'dead') return;
    this.state = 'starting';
    this.server = await startRedis(this);
    this.state = 'up';
  }

  async kill() {
    if (this.state === 'dead' || this.state === 'starting') return;
    this.state = 'dead';
    await this.server.kill();
  }

  pause() {
    if (this.state !== 'up') return;
    this.state = 'paused';
    this.server.child.kill('SIGSTOP');
  }

  resume() {
    if (this.state !== 'paused') return;
    this.state = 'up';
    this.server.child.kill('SIGCONT');
  }

  async stop() {
    await this.kill();
    removeDirectory(this.directory);
  }
}

// One hostd. `state`: up, paused, leaving (SIGTERM sent), dead. `suspect`: a fault of its own may have
// made the others think it dead.
class Node {
  constructor(name, hostd, proxy) {
    this.name = name;
    this.hostd = hostd;
    this.proxy = proxy;
    this.state = 'up';
    this.suspect = false;
    this.stills = []; // { from, to } of the times it stood still
    this.port = hostd.port;
    this.url = hostd.url;
    hostd.exited.then((end) => {
      this.crashed = this.state === 'up' || this.state === 'paused';
      this.state = 'dead';
      this.end = end;
      proxy?.stop();
    });
  }

  async kill() {
    this.suspect = true;
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.hostd.child.kill('SIGKILL');
    await within(this.hostd.exited, `end of ${this.name}`);
  }

  pause() {
    if (this.state !== 'up') return;
    this.suspect = true;
    this.state = 'paused';
    this.stills.push({ from: performance.now(), to: Infinity });
    this.hostd.child.kill('SIGSTOP');
  }

  resume() {
    if (this.state !== 'paused') return;
    this.state = 'up';
    this.stills.at(-1).to = performance.now();
    this.hostd.child.kill('SIGCONT');
  }

  // When it could take at the earliest what was sent to it then.
  attends(at) {
    return this.stills.find(({ from, to }) => from <= at && at < to)?.to ?? at;
  }

  // SIGTERM; resolves with the exit code. Nothing for a node that is not up.
  async terminate(ms = 20000) {
    if (this.state !== 'up') return null;
    this.suspect = true;
    this.state = 'leaving';
    this.hostd.child.kill('SIGTERM');
    const { code, signal } = await within(this.hostd.exited, `end of ${this.name}`, { ms });
    return code ?? signal;
  }

  // A fault on its line to Redis; see Proxy.
  disturb(mode, ms) {
    this.suspect = true;
    this.proxy.set(mode, ms);
  }
}

export class Cluster {
  // `proxied`: each node has a line to Redis of its own. The options are hostd's. `redis`: what the test
  // has started already, and will end itself; else there is a new one.
  static async start({ nodes = 2, proxied = false, appendonly = false, options = {}, redis } = {}) {
    const cluster = new Cluster(
      redis ?? (await FaultyRedis.start({ appendonly })),
      proxied,
      options,
    );
    cluster.ownsRedis = redis === undefined;
    try {
      for (let i = 0; i < nodes; i++) await cluster.add();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  constructor(redis, proxied, options) {
    this.redis = redis;
    this.proxied = proxied;
    this.options = { 'node.ttl': kTtl, ...options };
    this.nodes = []; // all there ever were
  }

  get living() {
    return this.nodes.filter(({ state }) => state !== 'dead');
  }

  get up() {
    return this.nodes.filter(({ state }) => state === 'up');
  }

  async add() {
    const proxy = this.proxied ? await Proxy.start(this.redis.port) : null;
    const url = `redis://127.0.0.1:${proxy?.port ?? this.redis.port}`;
    const hostd = await startHostd({ 'redis.url': url, ...this.options });
    const node = new Node(`n${this.nodes.length}`, hostd, proxy);
    this.nodes.push(node);
    return node;
  }

  // Ends every fault there is.
  async heal() {
    for (const node of this.nodes) {
      node.resume();
      if (node.state === 'up') node.proxy?.heal();
    }
    this.redis.resume();
    await this.redis.restart();
  }

  // What a node did that none may do.
  crashes() {
    return this.nodes
      .filter(({ crashed, end, state }) => crashed || (state === 'dead' && end?.code > 0))
      .map(
        ({ name, end, hostd }) =>
          `${name} ended with ${end.code ?? end.signal}: ${hostd.log.slice(-3000)}`,
      );
  }

  async stop() {
    await this.heal().catch(() => {});
    await Promise.all(this.up.map((node) => node.terminate().catch(() => node.kill())));
    if (this.ownsRedis) await this.redis.stop();
  }
}
