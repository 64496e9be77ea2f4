// A short play that touches everything hostd does for clients, and may fail at any point: calls of the
// server are failing meanwhile.
import { Agent } from 'node:http';
import { io } from 'socket.io-client';
import { request } from '../lib/http.mjs';
import { RawConnection } from '../lib/raw.mjs';
import { trust } from '../lib/tls.mjs';
import { Inbox } from '../lib/wait.mjs';

const kBig = 'x'.repeat(90000); // more than one write may hand to the system

export class Lost extends Error {}

class Player {
  constructor(server, play, options) {
    this.play = play;
    this.inbox = new Inbox('a player');
    this.socket = io(server.url, {
      forceNew: true,
      reconnection: false,
      timeout: play.patienceMs,
      agent: play.agent,
      ...trust(server.port),
      ...options,
    });
    this.connected = new Promise((resolve) => this.socket.once('connect', resolve));
    this.socket.once('disconnect', () => play.lose('a player was disconnected'));
    this.socket.once('connect_error', (error) => play.lose(`no connection: ${error.message}`));
    this.socket.onAny((event, ...args) => this.inbox.push({ event, args }));
  }

  get id() {
    return this.socket.id;
  }

  emit(event, payload) {
    this.socket.emit(event, payload);
  }

  async take(event) {
    const { args } = await this.play.step(
      this.inbox.take((message) => message.event === event, event, this.play.patienceMs),
      event,
    );
    return args[0];
  }

  async join(roomId, secret) {
    this.emit('join', { roomId, secret });
    return this.take('joinResponse');
  }
}

// One run of the play. Steps are given up when somebody has lost the connection, or nothing came.
class Play {
  constructor(server, patienceMs) {
    Object.assign(this, { server, patienceMs });
    this.players = [];
    this.requests = new AbortController();
    this.agent = new Agent();
    this.over = new Promise((_, reject) => {
      this.lose = (why) => this.closing || reject(new Lost(why));
    });
    this.over.catch(() => {});
  }

  step(promise, what) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Lost(`no ${what}`)), this.patienceMs);
    });
    promise.catch(() => {});
    return Promise.race([promise, this.over, late]).finally(() => clearTimeout(timer));
  }

  async enter(options) {
    const player = new Player(this.server, this, options);
    this.players.push(player);
    await this.step(player.connected, 'connection');
    return player;
  }

  // A request may fail without an end of the play.
  async ask(answer) {
    return this.step(answer, 'answer').catch(() => undefined);
  }

  get(path, headers) {
    return this.ask(request(this.server, 'GET', path, { headers, signal: this.requests.signal }));
  }

  post(path, value) {
    const body = JSON.stringify(value);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
    return this.ask(
      request(this.server, 'POST', path, { body, headers, signal: this.requests.signal }),
    );
  }

  async perform(roomId) {
    const { server } = this;
    await this.post('/api/create_room', { roomId });
    const [a, b, c] = await Promise.all([
      this.enter({ transports: ['websocket'] }),
      this.enter({ transports: ['polling', 'websocket'] }),
      this.enter({ transports: ['polling'] }),
    ]);
    const upgraded = new Promise((resolve) => b.socket.io.engine.once('upgrade', resolve));
    if (b.socket.io.engine.transport.name === 'polling') await this.step(upgraded, 'upgrade');
    for (const player of [a, b, c]) await player.join(roomId);
    a.emit('offer', { peerId: b.id, offer: { sdp: 'v=0' }, from: a.id });
    b.emit('answer', { peerId: a.id, answer: Buffer.from('bytes'), from: b.id });
    c.emit('offer', { peerId: a.id, offer: kBig });
    a.emit('ice-candidate', { peerId: c.id, candidate: Buffer.from('more bytes') });
    await Promise.all([b.take('offer'), a.take('answer'), a.take('offer'), c.take('ice-candidate')]);
    b.emit('initiator-online', { roomId });
    a.emit('recipient-ready', { roomId, peerId: a.id });
    await Promise.all([a.take('initiator-online'), c.take('recipient-ready')]);
    await Promise.all([
      this.post('/api/leave_room', { roomId, socketId: c.id }),
      this.post('/api/check_room', { roomId }),
      this.get('/api/get_room', { Origin: server.url }),
      this.post('/api/set_track', { ref: 'play', timestamp: 1, path: '/' }),
      this.get('/health/detailed', { 'Accept-Encoding': 'gzip' }),
      this.get('/nothing'),
    ]);
    // Ends of each kind: a leave, a lost connection, a packet that is none.
    this.closing = true;
    b.socket.disconnect();
    a.socket.io.engine.transport.ws?._socket.resetAndDestroy();
    const broken = await this.step(RawConnection.open(server.port), 'connection');
    broken.write('GET /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: x\r\n\r\n');
    await this.ask(broken.answer());
    broken.write('POST /api/create_room HTTP/1.1\r\nContent-Length: 2');
    broken.close();
  }

  end() {
    this.closing = true;
    this.requests.abort();
    this.agent.destroy(); // a client that is about to upgrade would not end before that
    for (const { socket } of this.players) {
      socket.io.engine?.transport.ws?._socket?.resetAndDestroy?.();
      socket.disconnect();
    }
  }
}

// Gives why the play ended early, or nothing.
export async function perform(server, roomId, patienceMs) {
  const play = new Play(server, patienceMs);
  try {
    await play.perform(roomId);
    return undefined;
  } catch (error) {
    if (error instanceof Lost || /within|ECONN|upgrade/.test(error.message)) return error.message;
    throw error;
  } finally {
    play.end();
  }
}
