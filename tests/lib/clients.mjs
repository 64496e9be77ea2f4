// socket.io-client sockets that remember what they received, and the usual steps of a test.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { post } from './http.mjs';
import { trust } from './tls.mjs';
import { Inbox, within } from './wait.mjs';

let serial = 0;

// An id that no other test of this process uses: long (may be created again) or 4 characters.
export const longRoom = () => `room-of-test-${++serial}`;
export const shortRoom = () => `t${(++serial).toString(36).padStart(3, '0')}`;

export class Peer {
  // Connects with socket.io-client; options are its own.
  static async connect(server, options = {}) {
    const { namespace = '/', ...rest } = options;
    const socket = io(server.url + namespace, {
      forceNew: true,
      reconnection: false,
      transports: ['websocket'],
      ...trust(Number(new URL(server.url).port)),
      ...rest,
    });
    const peer = new Peer(socket);
    try {
      await within(peer.connected, 'connection');
    } catch (error) {
      socket.close();
      throw error;
    }
    return peer;
  }

  constructor(socket) {
    this.socket = socket;
    this.inbox = new Inbox('a client');
    this.connected = new Promise((resolve, reject) => {
      socket.once('connect', resolve).once('connect_error', reject);
    });
    this.closed = new Promise((resolve) => socket.once('disconnect', resolve));
    socket.onAny((event, ...args) => this.inbox.push({ event, args }));
  }

  get id() {
    return this.socket.id;
  }

  // The secret session id of the transport.
  get sid() {
    return this.socket.io.engine.id;
  }

  get transport() {
    return this.socket.io.engine.transport.name;
  }

  emit(event, ...args) {
    this.socket.emit(event, ...args);
  }

  // The payload of the next `event`.
  async take(event) {
    const { args } = await this.inbox.take((message) => message.event === event, `"${event}"`);
    assert.ok(args.length <= 1, `${event} has one argument`);
    return args[0];
  }

  async join(roomId) {
    this.emit('join', { roomId });
    return this.take('joinResponse');
  }

  // Nothing but what was taken has arrived from the server so far. A fence: `from`, a member of the
  // same room, sends one more message on the same path, and only that is there when it arrives.
  async receivesOnlyFrom(from) {
    const candidate = `fence ${++serial}`;
    from.emit('ice-candidate', { peerId: this.id, from: from.id, candidate });
    const isFence = ({ event, args }) =>
      event === 'ice-candidate' && args[0]?.candidate === candidate;
    await this.inbox.take(isFence, 'fence');
    this.assertEmpty();
  }

  assertEmpty() {
    assert.deepEqual(this.inbox.messages, [], 'nothing else was delivered');
  }

  async close() {
    this.socket.close();
    await this.closed;
  }

  // Cuts the connection without a word: a reset of its TCP connection, which Node cannot do under TLS.
  reset() {
    const socket = this.socket.io.engine.transport.ws._socket;
    if (socket.encrypted) socket.destroy();
    else socket.resetAndDestroy();
  }
}

export async function createRoom(server, roomId) {
  const { status, json } = await post(server, '/api/create_room', { roomId });
  assert.deepEqual([status, json.success], [200, true], `room ${roomId} is created`);
}

export const joined = (roomId) => ({ success: true, message: 'Successfully joined room', roomId });

// A room and its members, who have joined one after the other and seen each other's `ready`.
export async function meet(server, count, options = {}) {
  const { roomId = longRoom(), ...rest } = options;
  await createRoom(server, roomId);
  const peers = [];
  for (let index = 0; index < count; index++) {
    const peer = await Peer.connect(server, rest);
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    for (const other of peers) assert.deepEqual(await other.take('ready'), { peerId: peer.id });
    peers.push(peer);
  }
  return { roomId, peers, close: () => Promise.all(peers.map((peer) => peer.close())) };
}

// Two clients in a room of their own, beside whatever else a test does to the server.
export async function meetWitnesses(server) {
  const {
    peers: [a, b],
    close,
  } = await meet(server, 2);
  return {
    close,
    // Fails unless messages still pass between them, and nothing else reached them.
    async assertUnharmed() {
      await a.receivesOnlyFrom(b);
      await b.receivesOnlyFrom(a);
    },
  };
}
