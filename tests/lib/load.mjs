// Members of rooms who send each other numbered messages all the time, and come back whenever they lose
// their connection, as the web client does: a new connection, create_room, join.
import assert from 'node:assert/strict';
import { Cluster, list, pause, untilNone } from './cluster.mjs';
import { post } from './http.mjs';
import { LightClient } from './light_client.mjs';
import { Random } from './random.mjs';
import { Record } from './record.mjs';
import { redisComplaints } from './redis_state.mjs';
import { within } from './wait.mjs';

const kJoinPatience = 5000;
// Of each hostd, which is one node of the test's; each worker registers as a node of its own.
const kWorkers = Number(process.env.HOSTD_WORKERS ?? 1);

class Member {
  constructor(load, roomId, home) {
    this.load = load;
    this.roomId = roomId;
    this.home = home;
    this.known = new Set();
    this.socket = null; // the SocketRecord of the connection there is
    this.life = this.live();
  }

  async live() {
    while (!this.load.ended) {
      const node = this.home ?? this.load.choose();
      this.home = null;
      try {
        if (node) await this.visit(node);
      } catch {
        // No connection: another node, a little later.
      }
      if (!this.load.ended) await pause(this.load.random.between(50, 250));
    }
  }

  // One connection, to its end.
  async visit(node) {
    this.known.clear();
    const client = await LightClient.connect(node, {
      onEvent: (event, payload) => this.hear(event, payload),
      onEnd: () => this.noteEnd(),
    });
    this.client = client;
    if (client.ended) return;
    this.socket = this.load.record.add(client.id, node, this.roomId);
    while (!client.ended && !(await this.join(node))) await pause(200);
    if (this.load.ended) client.close();
    await client.closed;
  }

  async join(node) {
    const { socket, client } = this;
    try {
      await post(node, '/api/create_room', { roomId: this.roomId });
    } catch {
      return false; // the node is gone, or paused
    }
    if (client.ended) return true;
    socket.joinSentAt = performance.now();
    const answer = new Promise((resolve) => {
      this.answered = resolve;
    });
    client.emit('join', { roomId: this.roomId });
    const { success } = await within(
      Promise.race([answer, client.closed.then(() => ({}))]),
      'joinResponse',
      {
        ms: kJoinPatience,
      },
    ).catch(() => {
      if (node.state === 'up') this.load.unanswered.push(`join of ${client.id} on ${node.name}`);
      client.reset();
      return {};
    });
    return success === true;
  }

  hear(event, payload) {
    const { socket } = this;
    if (event === 'joinResponse') {
      if (payload.success) socket.joinedAt = performance.now();
      else this.load.refused++;
      this.answered(payload);
      return;
    }
    socket.note(event, payload);
    const { peerId } = payload;
    if (event === 'peer-disconnected') this.known.delete(peerId);
    else if (socket.lastWord(peerId) !== 'peer-disconnected') this.known.add(peerId);
  }

  noteEnd(socket = this.socket) {
    if (socket) socket.endedAt = Math.min(socket.endedAt, performance.now());
    if (socket === this.socket) this.known.clear();
  }

  sendTo(peerId) {
    this.client.emit(...this.socket.compose(peerId));
  }

  // Its connection ends: 'close' with a word, 'reset' without.
  end(how) {
    if (!this.client || this.client.ended) return;
    this.noteEnd();
    this.client[how]();
  }

  // Leaves over HTTP on some node, then connects anew.
  async leave(node) {
    const { socket, client } = this;
    if (!socket?.bound) return;
    socket.leavingAt = performance.now();
    const { status } = await post(node, '/api/leave_room', {
      roomId: socket.roomId,
      socketId: socket.id,
    });
    // By now there may be another connection, if this one was ended meanwhile.
    if (status === 200) this.noteEnd(socket);
    client.close();
  }
}

export class Load {
  // `rooms` of `members` each, spread over the cluster's nodes, each sending to each other every
  // `interval` ms. They are all there once settled() has answered.
  static start(cluster, { rooms = 6, members = 3, interval = 50, seed = 1 } = {}) {
    const load = new Load(cluster, seed);
    for (let room = 0; room < rooms; room++) {
      for (let i = 0; i < members; i++) {
        const home = cluster.up[(room + i) % cluster.up.length];
        load.members.push(new Member(load, `room-of-load-${room}`, home));
      }
    }
    load.timer = setInterval(() => load.tick(), interval);
    return load;
  }

  constructor(cluster, seed) {
    this.cluster = cluster;
    this.random = new Random(seed);
    this.record = new Record();
    this.members = [];
    this.unanswered = [];
    this.refused = 0;
    this.ended = false;
  }

  // As a load balancer: any node that takes connections, and any that seems to.
  choose() {
    const candidates = this.cluster.nodes.filter(
      ({ state }) => state === 'up' || state === 'paused',
    );
    return candidates.length > 0 ? this.random.pick(candidates) : null;
  }

  get bound() {
    return this.members.filter((member) => member.socket?.bound);
  }

  // Kills nodes all at once. The record has it that their sockets ended right then.
  async kill(...nodes) {
    const at = performance.now();
    await Promise.all(nodes.map((node) => node.kill()));
    for (const socket of this.record.all)
      if (nodes.includes(socket.node)) socket.endedAt = Math.min(socket.endedAt, at);
  }

  tick() {
    for (const member of this.bound) for (const peerId of member.known) member.sendTo(peerId);
  }

  async redisComplaints() {
    const bound = new Map(this.record.bound.map(({ id, roomId }) => [id, roomId]));
    try {
      const nodes = this.cluster.living.length * kWorkers;
      return await redisComplaints(this.cluster.redis, bound, nodes);
    } catch (error) {
      return [error.message];
    }
  }

  absent() {
    return this.members
      .filter((member) => !member.socket?.bound)
      .map(({ roomId }) => `a member of ${roomId} is not in its room`);
  }

  // Redis holds exactly what is there; gives the ms that took.
  bindings(ms) {
    return untilNone(
      async () => [...this.absent(), ...(await this.redisComplaints())],
      'members and Redis agree',
      ms,
    );
  }

  // A message from each to each in its room arrives; gives the ms that took. `among` restricts the members.
  async relays(ms = 5000, among = () => true) {
    const expected = [];
    for (const member of this.bound.filter(among)) {
      for (const other of this.bound.filter(among)) {
        if (other === member || other.roomId !== member.roomId) continue;
        member.sendTo(other.socket.id);
        expected.push([
          member.socket,
          other.socket,
          member.socket.sent.get(other.socket.id).length,
        ]);
      }
    }
    assert.ok(expected.length > 0, 'there is somebody to send to');
    return untilNone(
      () =>
        expected
          .filter(([from, to, n]) => !(to.received.get(from.id)?.at(-1)?.n >= n))
          .map(
            ([from, to]) =>
              `nothing from ${this.record.name(from.id)} to ${this.record.name(to.id)}`,
          ),
      'relays pass',
      ms,
    );
  }

  async settled(ms = 10000) {
    const healed = await this.bindings(ms);
    await this.relays();
    return healed;
  }

  // Everyone concerned has been told of every end; gives the ms that took.
  informed(ms = 8000, options) {
    return untilNone(() => this.record.unaware(options), 'all are told', ms);
  }

  // After the last fault was healed: waits until all is as it should be, and fails when it does not become
  // so, or when anybody was told wrong meanwhile. Gives what became of the messages. `lossless`: no
  // message between two that stayed may be missing.
  async sound({ ms = 15000, lossless = false, strict = false } = {}) {
    const faults = [];
    const collect = async (step) => {
      try {
        return await step();
      } catch (error) {
        faults.push(error.message);
        return null;
      }
    };
    const healed = await collect(() => this.settled(ms));
    const informed = await collect(() => this.informed(8000, { strict }));
    clearInterval(this.timer);
    await collect(() => this.relays());
    const { complaints, losses, ...messages } = this.record.messages();
    const wrong = [
      ...complaints,
      ...this.record.misled(),
      ...this.unanswered,
      ...this.cluster.crashes(),
    ];
    if (lossless) wrong.push(...losses.map((loss) => `lost: ${loss}`));
    else if (messages.lostLocal > 0)
      wrong.push(`${messages.lostLocal} messages within one node were lost`);
    if (wrong.length > 0) faults.push(list(wrong));
    if (faults.length > 0) throw new assert.AssertionError({ message: faults.join('\n') });
    return { ...messages, healed, informed };
  }

  async end() {
    this.ended = true;
    clearInterval(this.timer);
    for (const member of this.members) member.client?.reset();
    await Promise.all(this.members.map(({ life }) => life));
  }
}

// Runs `body({ cluster, load, redis, nodes })` on a cluster under load and ends both. A failure shows
// what the nodes logged.
export async function underLoad({ load: loadOptions, ...clusterOptions }, body) {
  const cluster = await Cluster.start(clusterOptions);
  let load;
  try {
    load = Load.start(cluster, loadOptions);
    await load.settled();
    return await body({ cluster, load, redis: cluster.redis, nodes: cluster.nodes });
  } catch (error) {
    const logs = cluster.nodes.map(({ name, hostd }) => `--- ${name}\n${hostd.log.slice(-1500)}`);
    error.message += `\n${logs.join('\n')}`;
    throw error;
  } finally {
    await load?.end();
    await cluster.stop();
  }
}
