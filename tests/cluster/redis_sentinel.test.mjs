// Nodes on a Redis behind sentinels: its master is killed or hangs, and the replica takes its
// place.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FaultyRedis, untilNone } from '../lib/cluster.mjs';
import { freePort } from '../lib/ports.mjs';
import { figure, figureMessages, ms, printFiguresAtEnd } from '../lib/figures.mjs';
import { post } from '../lib/http.mjs';
import { underLoad } from '../lib/load.mjs';
import { removeDirectory, start, temporaryDirectory } from '../lib/process.mjs';
import { RedisClient } from '../lib/redis.mjs';
import { immortal } from '../lib/redis_state.mjs';
import { eventually, within } from '../lib/wait.mjs';

printFiguresAtEnd();

const kName = 'the-master';

class Sentinel {
  static async start(masterPort) {
    const sentinel = new Sentinel();
    sentinel.directory = temporaryDirectory();
    sentinel.port = await freePort();
    const file = path.join(sentinel.directory, 'sentinel.conf');
    writeFileSync(
      file,
      `bind 127.0.0.1
port ${sentinel.port}
sentinel monitor ${kName} 127.0.0.1 ${masterPort} 2
sentinel down-after-milliseconds ${kName} 1000
sentinel failover-timeout ${kName} 4000
`,
    );
    sentinel.child = start('redis-server', [file, '--sentinel', '--dir', sentinel.directory]);
    sentinel.client = await eventually(
      () => RedisClient.connect(sentinel.port).catch(() => null),
      'a sentinel listens',
    );
    return sentinel;
  }

  ask(...args) {
    return this.client.command('SENTINEL', ...args);
  }

  async stop() {
    this.client?.close();
    this.child.kill('SIGKILL');
    await within(this.child.exited, 'end of a sentinel');
    removeDirectory(this.directory);
  }
}

// A master, its replica and three sentinels; who looks into it looks into whichever is the master.
class Deployment {
  servers = [];
  sentinels = [];

  static async start() {
    const deployment = new Deployment();
    try {
      await deployment.form();
    } catch (error) {
      await deployment.stop();
      throw error;
    }
    return deployment;
  }

  async form() {
    const delay = ['--repl-diskless-sync-delay', '0'];
    this.master = await FaultyRedis.start({ flags: delay });
    this.servers.push(this.master);
    this.replica = await FaultyRedis.start({
      flags: [...delay, '--replicaof', '127.0.0.1', String(this.port)],
    });
    this.servers.push(this.replica);
    // Sentinels ask a master for its replicas when they meet it, and then only every ten seconds.
    await this.inSync();
    for (let i = 0; i < 3; i++) this.sentinels.push(await Sentinel.start(this.port));
    await untilNone(
      async () => {
        const states = await Promise.all(
          this.sentinels.map(async (sentinel) => [
            await sentinel.ask('CKQUORUM', kName).catch(({ message }) => message),
            (await sentinel.ask('REPLICAS', kName)).length,
          ]),
        );
        return states
          .filter(([quorum, replicas]) => !/^OK 3 usable/.test(quorum) || replicas !== 1)
          .map(String);
      },
      'the sentinels know all',
      20000,
    );
  }

  // The replica has all that the master has now. One that has just been synchronised hears nothing
  // for up to a second.
  async inSync() {
    let goal;
    await untilNone(async () => {
      const [, offset, replicas] = await this.master.command('ROLE');
      goal ??= offset;
      return replicas[0]?.[2] >= goal ? [] : ['the replica lags behind'];
    }, 'the replica has everything');
  }

  get port() {
    return this.master.port;
  }

  get options() {
    return {
      'redis.sentinels': this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(),
      'redis.master_name': kName,
    };
  }

  // The sentinels have made the replica the master; gives the ms that took.
  promoted() {
    const probe = async () => {
      const [, port] = await this.sentinels[0].ask('GET-MASTER-ADDR-BY-NAME', kName);
      if (Number(port) === this.port) return ['the master is the same'];
      [this.master, this.replica] = [this.replica, this.master];
      return [];
    };
    return untilNone(probe, 'another master', 15000);
  }

  // The sentinels cut all connections of whom they promote: those of the test as well.
  async command(...args) {
    if (this.client?.port !== this.port || this.client.socket.destroyed) {
      this.client?.close();
      this.client = await RedisClient.connect(this.port);
      this.client.port = this.port;
    }
    return within(this.client.command(...args), `answer to ${args[0]}`, { ms: 3000 });
  }

  pipeline(commands) {
    return Promise.all(commands.map((args) => this.command(...args)));
  }

  resume() {
    for (const server of this.servers) server.resume();
  }

  async restart() {
    await Promise.all(this.servers.map((server) => server.restart()));
  }

  async stop() {
    this.client?.close();
    await Promise.all(this.sentinels.map((sentinel) => sentinel.stop()));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

for (const [what, harm] of [
  ['is killed', 'kill'],
  ['hangs', 'pause'],
]) {
  test(`the master ${what}: the nodes go over to the new one`, async () => {
    const name = `master ${what}`;
    const redis = await Deployment.start();
    try {
      const load = { rooms: 20, members: 2, interval: 50 };
      // With the lease that is the default messages are kept until there is a master again.
      const options = { ...redis.options, 'node.ttl': null };
      await underLoad({ redis, options, load }, async ({ load, nodes }) => {
        const sockets = load.record.bound;
        for (const { hostd } of nodes) assert.doesNotMatch(hostd.log, /cannot connect/);
        await redis.inSync();
        const begun = performance.now();
        await redis.master[harm]();
        const since = (text) => figure(name, text, ms(performance.now() - begun));
        await redis.promoted();
        since('named by the sentinels after');
        await untilNone(
          async () => {
            const asked = nodes.map((node, n) =>
              post(node, '/api/create_room', { roomId: `after-the-master-${n}` }),
            );
            return (await Promise.all(asked))
              .filter(({ status }) => status !== 200)
              .map(({ status }) => `answered ${status}`);
          },
          'rooms can be created',
          10000,
        );
        since('rooms can be created after');
        await load.bindings(5000);
        since('Redis has exactly what is there after');
        await load.relays(2000);
        since('relays pass after');
        figureMessages(name, await load.sound({ lossless: true }));
        assert.ok(sockets.every((socket) => socket.bound), 'nobody had to come anew');
        assert.deepEqual(await immortal(redis), []);
      });
    } finally {
      await redis.stop();
    }
  });
}
