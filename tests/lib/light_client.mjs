// A Socket.IO client over a bare WebSocket, light enough to have hundreds of them under load. Text
// packets of the main namespace only.
import net from 'node:net';
import { reset } from './proxy.mjs';
import { frame, kClose, kText, upgradeRequest } from './raw.mjs';
import { within } from './wait.mjs';

const kPath = '/socket.io/?EIO=4&transport=websocket';

export class LightClient {
  // Connects, and gives the client when it has its socket id. `onEvent(name, payload)` is called for
  // each event from then on, `onEnd()` once, when the connection is at its end, whoever ended it.
  static async connect(server, { onEvent = () => {}, onEnd = () => {}, ms = 3000 } = {}) {
    const client = new LightClient(server, onEvent, onEnd);
    try {
      await within(client.connected, 'connection of a light client', { ms });
    } catch (error) {
      client.reset();
      throw error;
    }
    return client;
  }

  constructor(server, onEvent, onEnd) {
    this.onEvent = onEvent;
    this.ended = false;
    this.buffer = Buffer.alloc(0);
    this.upgraded = false;
    this.pieces = [];
    this.connected = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.connected.catch(() => {}); // who waits for it is told; nobody else has to be
    this.socket = net.connect({ host: '127.0.0.1', port: server.port });
    this.socket.unref();
    this.socket.setNoDelay(true);
    this.socket.on('connect', () => this.socket.write(upgradeRequest(server.port, kPath)));
    this.socket.on('data', (data) => this.read(data));
    this.socket.on('error', () => {});
    this.socket.on('end', () => this.socket.destroy());
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        const wasConnected = this.id !== undefined && !this.ended;
        this.ended = true;
        this.reject(new Error('connection closed'));
        resolve();
        if (wasConnected) onEnd();
      });
    });
  }

  emit(event, payload) {
    if (!this.ended) this.send(`42${JSON.stringify([event, payload])}`);
  }

  send(text) {
    this.socket.write(frame({ payload: text }));
  }

  // Takes its leave as a browser does: a close frame, then the end.
  close() {
    this.socket.write(frame({ opcode: kClose, payload: Buffer.from([0x03, 0xe8]) }));
    this.socket.end();
    setTimeout(() => this.socket.destroy(), 1000).unref();
  }

  // Gone without a word.
  reset() {
    reset(this.socket);
  }

  read(data) {
    this.buffer = this.buffer.length === 0 ? data : Buffer.concat([this.buffer, data]);
    if (!this.upgraded) {
      const end = this.buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.buffer.toString('latin1', 0, 12).startsWith('HTTP/1.1 101')) {
        this.socket.destroy();
        return;
      }
      this.upgraded = true;
      this.buffer = this.buffer.subarray(end + 4);
    }
    for (;;) {
      const { buffer } = this;
      if (buffer.length < 2) return;
      let length = buffer[1] & 0x7f;
      let at = 2;
      if (length === 126) {
        if (buffer.length < 4) return;
        length = buffer.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (buffer.length < 10) return;
        length = Number(buffer.readBigUInt64BE(2));
        at = 10;
      }
      if (buffer.length < at + length) return;
      const payload = buffer.subarray(at, at + length);
      this.buffer = buffer.subarray(at + length);
      this.take(buffer[0], payload);
    }
  }

  take(head, payload) {
    const opcode = head & 15;
    if (opcode === kClose) {
      this.socket.end(frame({ opcode: kClose, payload: payload.subarray(0, 2) }));
      return;
    }
    if (opcode !== kText && opcode !== 0) return;
    this.pieces.push(payload.toString());
    if ((head & 0x80) === 0) return;
    const text = this.pieces.splice(0).join('');
    if (text === '2') this.send('3');
    else if (text[0] === '0') this.send('40');
    else if (text.startsWith('40')) {
      this.id = JSON.parse(text.slice(2)).sid;
      this.resolve();
    } else if (text.startsWith('42')) {
      const [event, ...args] = JSON.parse(text.slice(2));
      this.onEvent(event, args[0]);
    } else if (text.startsWith('41') || text === '1') this.socket.destroy();
  }
}
