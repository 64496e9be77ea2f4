// What every client of a test did and was told, with the time, and what follows from it.

// A socket counts as lost to a message, or to news, when it ended this soon (ms) after: the message may
// have been under way.
const kMargin = 1000;
// The client's own clock of its end lags behind what its node knows by no more than this (ms).
const kSlack = 700;

const kFields = { offer: 'offer', answer: 'answer', 'ice-candidate': 'candidate' };
export const kRelays = Object.keys(kFields);

// One connection of a client, from its socket id to its end.
export class SocketRecord {
  constructor(id, node, roomId) {
    Object.assign(this, { id, node, roomId });
    this.joinSentAt = Infinity;
    this.joinedAt = Infinity; // success was answered
    this.endedAt = Infinity; // it closed, or left the room
    this.leavingAt = Infinity; // it asked to leave over HTTP; it may be gone though that failed
    this.told = []; // { at, event, peerId } of ready and peer-disconnected
    this.sent = new Map(); // peer's id -> times of messages 1, 2, 3…
    this.received = new Map(); // peer's id -> [{ at, n }]
  }

  get bound() {
    return this.joinedAt !== Infinity && this.endedAt === Infinity;
  }

  // From when on it may be gone.
  get mayBeGoneAt() {
    return Math.min(this.endedAt, this.leavingAt);
  }

  // What it was last told of a peer, undefined if nothing.
  lastWord(peerId) {
    return this.told.findLast((each) => each.peerId === peerId)?.event;
  }

  knew(peerId) {
    return (
      this.received.has(peerId) ||
      this.told.some((each) => each.peerId === peerId && each.event === 'ready')
    );
  }

  // The next message to a peer: [event, payload].
  compose(peerId) {
    if (!this.sent.has(peerId)) this.sent.set(peerId, []);
    const n = this.sent.get(peerId).push(performance.now());
    const event = kRelays[n % kRelays.length];
    return [event, { peerId, from: this.id, [kFields[event]]: { n } }];
  }

  note(event, payload) {
    const at = performance.now();
    if (event === 'ready' || event === 'peer-disconnected')
      this.told.push({ at, event, peerId: payload.peerId });
    else if (event in kFields) {
      const { peerId } = payload;
      if (!this.received.has(peerId)) this.received.set(peerId, []);
      this.received.get(peerId).push({ at, n: payload[kFields[event]].n });
    }
  }
}

export class Record {
  constructor() {
    this.sockets = new Map();
  }

  add(id, node, roomId) {
    const socket = new SocketRecord(id, node, roomId);
    this.sockets.set(id, socket);
    return socket;
  }

  get all() {
    return [...this.sockets.values()];
  }

  get bound() {
    return this.all.filter((socket) => socket.bound);
  }

  name(id) {
    const socket = this.sockets.get(id);
    return socket ? `${id} (${socket.node.name})` : `${id} (unknown)`;
  }

  others(socket) {
    return this.all.filter((each) => each !== socket && each.roomId === socket.roomId);
  }

  // { sent, arrived, lost, lostLocal, delays, complaints }: complaints of messages that came twice, out
  // of order, or to the wrong one. Lost is what did not arrive though both ends stayed.
  messages() {
    const result = { sent: 0, arrived: 0, lost: 0, lostLocal: 0, losses: [], complaints: [] };
    const delays = { local: [], remote: [] };
    for (const socket of this.all) {
      for (const [peerId, arrivals] of socket.received) {
        const times = this.sockets.get(peerId)?.sent.get(socket.id) ?? [];
        let last = 0;
        for (const { n, at } of arrivals) {
          const where = `at ${this.name(socket.id)} from ${this.name(peerId)}`;
          if (!(n >= 1 && n <= times.length))
            result.complaints.push(`a message ${n} nobody sent ${where}`);
          else if (n === last) result.complaints.push(`message ${n} twice ${where}`);
          else if (n < last) result.complaints.push(`message ${n} after ${last} ${where}`);
          else {
            result.arrived++;
            const kind = this.sockets.get(peerId).node === socket.node ? 'local' : 'remote';
            delays[kind].push(at - times[n - 1]);
          }
          last = Math.max(last, n);
        }
      }
      for (const [peerId, times] of socket.sent) {
        const peer = this.sockets.get(peerId);
        const arrived = new Set(peer?.received.get(socket.id)?.map(({ n }) => n));
        result.sent += times.length;
        times.forEach((at, index) => {
          if (arrived.has(index + 1)) return;
          if (!peer) return;
          const taken = Math.max(socket.node.attends(at), peer.node.attends(at));
          if (Math.min(socket.mayBeGoneAt, peer.mayBeGoneAt) < taken + kMargin) return;
          result.lost++;
          if (socket.node === peer.node) result.lostLocal++;
          result.losses.push(
            `message ${index + 1} of ${times.length} ${this.name(socket.id)} -> ${this.name(peerId)}`,
          );
        });
      }
    }
    return { ...result, delays };
  }

  // Those who were told nothing of an end that concerned them. `strict`: everyone who was in the room;
  // otherwise only who knew of the one that ended.
  unaware({ strict = false } = {}) {
    const complaints = [];
    for (const gone of this.all) {
      if (gone.endedAt === Infinity) continue;
      for (const other of this.others(gone)) {
        if (!other.bound) continue;
        const shared = gone.joinedAt !== Infinity && other.joinedAt < gone.endedAt;
        const concerned = other.knew(gone.id) || (strict && shared);
        if (concerned && other.lastWord(gone.id) !== 'peer-disconnected') {
          const ago = Math.round(performance.now() - gone.endedAt);
          complaints.push(
            `${this.name(other.id)} was not told that ${this.name(gone.id)} is gone, ${ago} ms ago`,
          );
        }
      }
    }
    return complaints;
  }

  // Those who were told wrong: of an end that was none, twice of the same, of one in another room. The
  // end of a socket that lives may be told only if its node was suspect, and has to be taken back.
  misled() {
    const complaints = [];
    for (const socket of this.all) {
      const words = new Map();
      for (const { at, event, peerId } of socket.told) {
        const who = `${this.name(socket.id)} was told ${event} of ${this.name(peerId)}`;
        const peer = this.sockets.get(peerId);
        if (peerId === socket.id) continue; // its own leaving over HTTP
        if (!peer || peer.roomId !== socket.roomId) complaints.push(`${who}, no peer of it`);
        else if (event === 'peer-disconnected') {
          if (words.get(peerId) === event) complaints.push(`${who} twice`);
          if (peer.mayBeGoneAt > at + kSlack && !peer.node.suspect) complaints.push(`${who}, which lived`);
        }
        words.set(peerId, event);
      }
      if (!socket.bound) continue;
      for (const [peerId, event] of words) {
        const lives = this.sockets.get(peerId)?.bound && peerId !== socket.id;
        if (lives && event === 'peer-disconnected')
          complaints.push(`${this.name(socket.id)} still takes ${this.name(peerId)} for gone`);
      }
    }
    return complaints;
  }

  // Times (ms) from the end of these sockets to the moment each other was told.
  noticed(sockets) {
    return sockets.flatMap((gone) =>
      this.others(gone).flatMap((other) =>
        other.told
          .filter(({ event, peerId }) => event === 'peer-disconnected' && peerId === gone.id)
          .map(({ at }) => at - gone.endedAt),
      ),
    );
  }
}
