// hostd with the shim in it and a Redis of its own: what is done to it, and what must hold afterwards.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { kHostd, startHostd } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { temporaryDirectory } from '../lib/process.mjs';
import { startRedis } from '../lib/redis.mjs';
import { allKeys } from '../lib/redis_state.mjs';
import { eventually, kPatience } from '../lib/wait.mjs';
import { ControlPage } from './control_page.mjs';
import { perform } from './scenario.mjs';

// What is lost while calls fail does not come later.
const kDisturbedPatienceMs = 400;

const kShim = path.join(path.dirname(kHostd), '../tests/faults/libfaults_shim.so');

const kSettleMs = 5000;
const kMemorySettleMs = 1000;
const kBreathMs = 5;
const kWarmUps = 3;
const kMostAgain = 3;
const kIdleMs = 40;
const kIdleShare = 0.5; // of the time; a loop that does not wait takes all of it

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const isMemory = (complaint) => /blocks of memory$/.test(complaint);

let rooms = 0;

export class Subject {
  // `loseRedis`: each play begins with the loss of all connections to Redis.
  static async start(options = {}, { loseRedis = false } = {}) {
    const subject = new Subject();
    // Connections that are new need a little more or less than those before.
    Object.assign(subject, { options, loseRedis, slack: loseRedis ? 3 : 0 });
    subject.redis = await startRedis();
    await subject.restart();
    return subject;
  }

  async restart() {
    this.page?.close();
    this.base = undefined;
    this.page = new ControlPage(path.join(temporaryDirectory(), 'page'));
    this.hostd = await startHostd(
      {
        'redis.url': this.redis.url,
        // What is lost on the way is to be given up soon.
        'engineio.ping_interval': 300,
        'engineio.ping_timeout': 1700, // a busy machine keeps a client waiting, too
        'engineio.upgrade_timeout': 1000,
        'http.request_timeout': 1000,
        'http.keep_alive': 1000,
        'socketio.connect_timeout': 1000,
        'node.ttl': 1000,
        ...this.options,
      },
      { env: { LD_PRELOAD: kShim, FAULTS_PAGE: this.page.path } },
    );
    for (let i = 0; i < kWarmUps; i++) await this.perform();
    await this.settle();
  }

  // What is in use now is what it needs at rest.
  async settle() {
    this.base = undefined;
    await this.atRest();
    await pause(kIdleMs);
    this.base = { blocks: this.page.live.blocks, descriptors: this.descriptors };
  }

  // Gives why the play ended early, or nothing.
  async perform(patienceMs = kPatience) {
    if (this.loseRedis) {
      for (const type of ['normal', 'pubsub']) {
        await this.redis.command('CLIENT', 'KILL', 'TYPE', type);
      }
      const found = eventually(() => this.hasRedis(), 'Redis').then(
        () => undefined,
        (error) => error.message,
      );
      if (await found) return found;
    }
    return perform(this.hostd, `room-of-play-${++rooms}`, patienceMs);
  }

  async hasRedis() {
    const answer = await get(this.hostd, '/health/detailed').catch(() => undefined);
    const listeners = await this.redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub');
    return this.ended || (answer?.status === 200 && listeners !== '');
  }

  // All places that ask for something during the play.
  async census() {
    const kPlays = 4; // what is seldom done is done in one of them
    this.page.census = true;
    for (let i = 0; i < kPlays; i++) await this.perform();
    this.page.census = false;
    return this.page.sites();
  }

  // For a reader of a failed test.
  get report() {
    return `${this.injected} calls failed; the play: ${this.lost ?? 'to its end'}\n${this.hostd.log.slice(-1500)}`;
  }

  get ended() {
    return this.hostd.child.exitCode !== null || this.hostd.child.signalCode !== null;
  }

  get descriptors() {
    return readdirSync(`/proc/${this.hostd.pid}/fd`).length;
  }

  // Milliseconds that its threads have run.
  get cpuMs() {
    const tasks = `/proc/${this.hostd.pid}/task`;
    return readdirSync(tasks).reduce(
      (sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6,
      0,
    );
  }

  // What is there that should not be when no client is left.
  async remains() {
    const { status, json } = await get(this.hostd, '/health/detailed');
    const remains = [];
    if (status !== 200) remains.push(`health ${status}`);
    const sessions = json?.dependencies?.socketio?.connections;
    if (sessions !== 0) remains.push(`${sessions} sessions`);
    for (const key of await allKeys(this.redis)) {
      if (/^socket:|:sockets$/.test(key)) remains.push(key);
    }
    return remains;
  }

  async atRest() {
    const end = performance.now() + kSettleMs;
    for (;;) {
      let remains;
      try {
        remains = await this.remains();
        await pause(kBreathMs); // the connection that told so goes
        if (this.base && this.descriptors !== this.base.descriptors) {
          remains.push(`${this.descriptors} descriptors in place of ${this.base.descriptors}`);
        }
        if (this.base && this.page.live.blocks > this.base.blocks + this.slack) {
          remains.push(`${this.page.live.blocks - this.base.blocks} blocks of memory`);
        }
      } catch (error) {
        if (this.ended) return ['hostd has ended'];
        remains = [error.message];
        await pause(kBreathMs);
      }
      const patience = remains.every(isMemory) ? kSettleMs - kMemorySettleMs : 0;
      if (remains.length === 0 || performance.now() > end - patience) return remains;
    }
  }

  // Performs the play while calls fail as `rule` says, and then once more, undisturbed. Gives what is
  // wrong afterwards, [] when nothing is.
  async trial(rule) {
    let complaints = await this.performTwice(rule);
    // Some memory is taken once, and kept. What is taken each time is lost.
    for (let again = 0; again < kMostAgain && complaints.length && complaints.every(isMemory); again++) {
      this.base.blocks = this.page.live.blocks;
      complaints = await this.performTwice(rule);
    }
    return complaints;
  }

  async performTwice(rule) {
    this.page.arm(rule);
    this.lost = await this.perform(kDisturbedPatienceMs);
    this.injected = this.page.disarm();
    let complaints = await this.atRest();
    if (this.ended) return [`hostd has ended: ${this.hostd.child.signalCode ?? this.hostd.child.exitCode}`];
    const why = await this.perform();
    if (why) complaints.push(`the next play: ${why}`);
    complaints.push(...(await this.atRest()).map((each) => `after the next play: ${each}`));
    complaints.push(...(await this.busyLoops(kIdleMs)));
    return complaints;
  }

  // Whether it works although nobody wants anything for so long.
  async busyLoops(ms) {
    const before = this.cpuMs;
    await pause(ms);
    const used = this.cpuMs - before;
    return used > ms * kIdleShare ? [`busy for ${used.toFixed(0)} of ${ms} idle ms`] : [];
  }

  async stop() {
    if (!this.ended) await this.hostd.stop();
    this.page.close();
    await this.redis.stop();
  }
}
