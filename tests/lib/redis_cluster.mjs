// A real Redis Cluster of the test's own: masters with even shares of the slots, and what befalls
// them.
import { FaultyRedis, untilNone } from './cluster.mjs';
import { freePort } from './ports.mjs';

const kSlots = 16384;

// The keys of a room have the names here that they have on one Redis, so that who compares need not
// know the difference.
const plain = (key) => key.replace(/^room:\{(.*)\}(:sockets|:nodes)?$/s, 'room:$1$2');
const tagged = (key) => key.replace(/^room:(.*?)(:sockets|:nodes)?$/s, 'room:{$1}$2');

export class RedisCluster {
  // Comes back when all agree that the cluster is in order. The last nodes are replicas of the
  // first.
  static async start({ masters = 3, replicas = 0 } = {}) {
    const cluster = new RedisCluster();
    try {
      await cluster.form(masters, replicas);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  nodes = [];

  async form(masters, replicas) {
    for (let i = 0; i < masters + replicas; i++) {
      const busPort = await freePort();
      const node = await FaultyRedis.start({
        flags: [
          ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
          ...['--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0'],
          // Else a replica has a file, which it reads when it is started anew.
          ...['--repl-diskless-load', 'swapdb'],
        ],
      });
      this.nodes.push(Object.assign(node, { busPort }));
      node.id = await node.command('CLUSTER', 'MYID');
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
      if (i >= masters) continue;
      const [first, last] = [i, i + 1].map((n) => Math.floor((n * kSlots) / masters));
      await node.command('CLUSTER', 'ADDSLOTSRANGE', first, last - 1);
    }
    for (const node of this.nodes) {
      for (const { port, busPort } of this.nodes)
        await node.command('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
    }
    await this.inOrder();
    for (let i = 0; i < replicas; i++)
      await this.nodes[masters + i].command('CLUSTER', 'REPLICATE', this.nodes[i].id);
    await this.inOrder();
  }

  // The seed that hostd is given.
  get port() {
    return this.up[0].port;
  }

  get up() {
    return this.nodes.filter(({ state }) => state === 'up');
  }

  // Each node that is up knows all others that are, and takes the cluster to be in order.
  inOrder(ms = 20000) {
    const disorder = async (node) => {
      const nodes = await node.command('CLUSTER', 'NODES');
      const connected = nodes.match(/ connected/g)?.length;
      if (connected !== this.up.length) return [`${node.port} sees ${connected} nodes`];
      const missing = this.nodes.length > this.up.length;
      if (nodes.includes('handshake') || (!missing && nodes.includes('fail')))
        return [`${node.port}: ${nodes}`];
      const info = await node.command('CLUSTER', 'INFO');
      if (!info.includes('cluster_state:ok')) return [`${node.port}: ${info}`];
      const replication = await node.command('INFO', 'replication');
      return replication.includes('link_status:down') ? [`${node.port} is not in sync`] : [];
    };
    return untilNone(
      async () => (await Promise.all(this.up.map(disorder))).flat(),
      'the cluster is in order',
      ms,
    );
  }

  async masters() {
    const roles = await Promise.all(this.up.map((node) => node.command('ROLE')));
    return this.up.filter((_, index) => roles[index][0] === 'master');
  }

  // By whichever master has the key that is the first argument. SCAN gives all keys of all of them,
  // FLUSHALL empties all.
  async command(name, ...args) {
    if (name === 'SCAN') return ['0', (await this.keys()).map(plain)];
    if (name === 'FLUSHALL')
      return Promise.all((await this.masters()).map((node) => node.command(name)));
    const [key, ...rest] = args;
    return this.route(this.up[0], key === undefined ? [name] : [name, tagged(key), ...rest]);
  }

  pipeline(commands) {
    return Promise.all(commands.map((args) => this.command(...args)));
  }

  async route(node, args, turns = 0) {
    try {
      return await node.command(...args);
    } catch (error) {
      const [, kind, port] = /^(MOVED|ASK) \d+ \S+:(\d+)$/.exec(error.message) ?? [];
      if (!kind || turns === 5) throw error;
      const next = this.nodes.find((each) => each.port === Number(port));
      if (kind === 'ASK') next.command('ASKING').catch(() => {});
      return this.route(next, args, turns + 1);
    }
  }

  // Of all masters, under the names that they have.
  async keys() {
    const masters = await this.masters();
    const keys = await Promise.all(masters.map((node) => node.command('KEYS', '*')));
    return [...new Set(keys.flat())];
  }

  async rooms() {
    return (await this.keys()).filter((key) => /^room:.*\}$/s.test(key));
  }

  // How many rooms each master has.
  async shares() {
    const masters = await this.masters();
    const keys = await Promise.all(masters.map((node) => node.command('KEYS', 'room:*}')));
    return keys.map((each) => each.length);
  }

  // The slot of a key, and the master that has it.
  async owner(key) {
    const slot = await this.up[0].command('CLUSTER', 'KEYSLOT', key);
    const ranges = await this.up[0].command('CLUSTER', 'SLOTS');
    const [, , [, port]] = ranges.find(([first, last]) => slot >= first && slot <= last);
    return { slot, master: this.nodes.find((node) => node.port === port) };
  }

  // Begins to give a slot to another master: what is created in it is created there.
  async beginMove(slot, from, to) {
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
  }

  // Moves these keys, or all that the slot has, one by one: what needs several must try again.
  async moveKeys(slot, from, to, keys) {
    for (const key of keys ?? (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 1000)))
      await from.command('MIGRATE', '127.0.0.1', to.port, key, 0, 5000);
  }

  async endMove(slot, from, to) {
    while ((await from.command('CLUSTER', 'COUNTKEYSINSLOT', slot)) > 0)
      await this.moveKeys(slot, from, to);
    for (const node of [to, from, ...(await this.masters())])
      await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  }

  async move(slot, from, to) {
    await this.beginMove(slot, from, to);
    await this.endMove(slot, from, to);
  }

  // Every slot of that master that has keys.
  async slotsInUse(master) {
    const keys = await master.command('KEYS', '*');
    const slots = await Promise.all(keys.map((key) => master.command('CLUSTER', 'KEYSLOT', key)));
    return [...new Set(slots)];
  }

  // The master that has a replica, once that one has all that the master has now. One that has just
  // been synchronised hears nothing for up to a second.
  async replicated() {
    for (const master of await this.masters()) {
      const [, offset, replicas] = await master.command('ROLE');
      if (replicas.length === 0) continue;
      await untilNone(
        async () => ((await master.command('ROLE'))[2][0][2] < offset ? ['it lags behind'] : []),
        'the replica has everything',
      );
      return master;
    }
    throw new Error('no master has a replica');
  }

  // Ends every fault. Who comes back has forgotten all but its part in the cluster.
  resume() {
    for (const node of this.nodes) node.resume();
  }

  async restart() {
    await Promise.all(this.nodes.map((node) => node.restart()));
  }

  async heal() {
    this.resume();
    await this.restart();
    await this.inOrder();
  }

  async stop() {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}
