// Bytes as the test wants them: TCP, WebSocket frames, and Engine.IO polling without a client library.
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { get, request } from './http.mjs';
import { secure, speaksTls } from './tls.mjs';
import { Inbox, within } from './wait.mjs';

export class RawConnection {
  // `localAddress` is whom the server sees.
  static async open(port, host = '127.0.0.1', localAddress = undefined) {
    const socket = net.connect({ port, host, localAddress });
    await within(
      new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)),
      'TCP connection',
    );
    return new RawConnection(speaksTls(port) ? await secure(socket, port) : socket, socket);
  }

  // `transport`: what lies under TLS.
  constructor(socket, transport = socket) {
    this.socket = socket;
    this.transport = transport;
    this.received = Buffer.alloc(0);
    this.listeners = new Set();
    const tell = () => this.listeners.forEach((listener) => listener());
    socket.on('data', (data) => {
      this.received = Buffer.concat([this.received, data]);
      tell();
    });
    socket.on('error', () => {});
    this.ended = false;
    this.closed = new Promise((resolve) =>
      socket.once('close', () => {
        this.ended = true;
        tell();
        resolve();
      }),
    );
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  // Removes and gives what `cut` finds: { value, length }, or null while it is incomplete. Null, too,
  // when the connection ends before.
  async read(cut, what, ms) {
    let listener;
    const found = new Promise((resolve, reject) => {
      listener = () => {
        try {
          const piece = cut(this.received);
          if (piece) this.received = this.received.subarray(piece.length);
          if (piece || this.ended) resolve(piece ? piece.value : null);
        } catch (error) {
          reject(error);
        }
      };
    });
    this.listeners.add(listener);
    listener();
    const detail = () => `; received ${JSON.stringify(this.received.toString().slice(0, 300))}`;
    return within(found, what, { ms, detail }).finally(() => this.listeners.delete(listener));
  }

  // The next HTTP answer as { status, head, text }; null when the connection ends instead.
  answer() {
    return this.read((buffer) => {
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) return null;
      const head = buffer.toString('latin1', 0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (buffer.length < end + 4 + length) return null;
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
      const text = buffer.toString('utf8', end + 4, end + 4 + length);
      return { value: { status, head, text }, length: end + 4 + length };
    }, 'HTTP answer');
  }

  close() {
    this.socket.destroy();
  }

  reset() {
    this.transport.resetAndDestroy();
  }
}

export const kText = 1;
export const kBinary = 2;
export const kClose = 8;

// One frame of a client. Everything may be set wrong on purpose; `length` overrides the field.
export function frame({
  opcode = kText,
  payload = '',
  fin = true,
  rsv = 0,
  masked = true,
  length,
} = {}) {
  const data = Buffer.from(payload);
  const size = length ?? data.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const maskBit = masked ? 0x80 : 0;
  let extended = Buffer.alloc(0);
  if (size < 126) head.push(maskBit | size);
  else if (size < 65536) {
    head.push(maskBit | 126);
    extended = Buffer.alloc(2);
    extended.writeUInt16BE(size);
  } else {
    head.push(maskBit | 127);
    extended = Buffer.alloc(8);
    extended.writeBigUInt64BE(BigInt(size));
  }
  if (!masked) return Buffer.concat([Buffer.from(head), extended, data]);
  const mask = randomBytes(4);
  const covered = Buffer.from(data.map((byte, index) => byte ^ mask[index % 4]));
  return Buffer.concat([Buffer.from(head), extended, mask, covered]);
}

export const upgradeRequest = (port, path, headers = {}) => {
  const all = {
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
};

// Where to look for Engine.IO: a server that has it elsewhere says so with `path`.
const sessionPath = (server, transport, sid) =>
  `${server.path ?? '/socket.io/'}?EIO=4&transport=${transport}${sid ? `&sid=${sid}` : ''}`;

export class RawWebSocket {
  // Opens a WebSocket, by default a new Engine.IO session; throws when it is refused.
  static async open(
    server,
    { path = sessionPath(server, 'websocket'), headers, localAddress } = {},
  ) {
    const connection = await RawConnection.open(server.port, undefined, localAddress);
    connection.write(upgradeRequest(server.port, path, headers));
    const answer = await connection.answer();
    if (answer?.status !== 101) throw new Error(`upgrade refused: ${JSON.stringify(answer)}`);
    return new RawWebSocket(connection, answer.head);
  }

  // Opens one that is to take over the session `sid`, which is on polling.
  static probe(server, sid) {
    return RawWebSocket.open(server, { path: sessionPath(server, 'websocket', sid) });
  }

  // Opens a session and connects to the main namespace.
  static async connect(server, options) {
    const ws = await RawWebSocket.open(server, options);
    ws.sid = JSON.parse((await ws.takeText()).slice(1)).sid;
    ws.send('40');
    ws.id = JSON.parse((await ws.takeText()).slice(2)).sid;
    return ws;
  }

  constructor(connection, head) {
    this.connection = connection;
    this.head = head;
  }

  send(text) {
    this.connection.write(frame({ payload: text }));
  }

  sendFrame(parts) {
    this.connection.write(frame(parts));
  }

  // The next frame { opcode, data }, or null when the connection is at its end. A close frame is
  // answered, as a client does.
  async take(ms) {
    const message = await this.connection.read(
      (buffer) => {
        if (buffer.length < 2) return null;
        let at = 2;
        let length = buffer[1] & 0x7f;
        if (length === 126) {
          if (buffer.length < 4) return null;
          length = buffer.readUInt16BE(2);
          at = 4;
        } else if (length === 127) {
          if (buffer.length < 10) return null;
          length = Number(buffer.readBigUInt64BE(2));
          at = 10;
        }
        if (buffer.length < at + length) return null;
        const value = {
          opcode: buffer[0] & 15,
          data: Buffer.from(buffer.subarray(at, at + length)),
        };
        return { value, length: at + length };
      },
      'WebSocket frame',
      ms,
    );
    if (message?.opcode === kClose)
      this.sendFrame({ opcode: kClose, payload: message.data.subarray(0, 2) });
    return message;
  }

  async takeText() {
    const message = await this.take();
    if (message?.opcode !== kText) throw new Error(`no text but ${JSON.stringify(message)}`);
    return message.data.toString();
  }

  // The next packet, a text or the bytes of a binary one; null at the end. Pings are answered, and
  // nothing but pings for long is an error.
  async takePacket() {
    for (let pings = 0; pings < 20; pings++) {
      const message = await this.take();
      if (message === null || message.opcode === kClose) return null;
      if (message.opcode === kBinary) return message.data;
      const text = message.data.toString();
      if (text !== '2') return text;
      this.send('3');
    }
    throw new Error('nothing but pings');
  }

  // Reads on to the close frame or the end of the connection; gives the close code, or null.
  async closeCode() {
    for (;;) {
      const message = await this.take();
      if (!message) return null;
      if (message.opcode === kClose)
        return message.data.length < 2 ? 1005 : message.data.readUInt16BE(0);
    }
  }

  async join(roomId) {
    this.send(`42${JSON.stringify(['join', { roomId }])}`);
    return JSON.parse((await this.takeText()).slice(2))[1];
  }

  close() {
    this.connection.close();
  }
}

// An Engine.IO session over polling, driven by hand.
export class RawPolling {
  static async open(server, headers) {
    const answer = await get(server, sessionPath(server, 'polling'), headers);
    if (answer.status !== 200)
      throw new Error(`handshake refused: ${answer.status} ${answer.text}`);
    return new RawPolling(server, JSON.parse(answer.text.slice(1)), answer);
  }

  // Opens a session and connects to the main namespace.
  static async connect(server, headers) {
    const polling = await RawPolling.open(server, headers);
    await polling.post('40');
    polling.id = JSON.parse((await polling.poll()).text.slice(2)).sid;
    return polling;
  }

  constructor(server, opened, answer) {
    this.server = server;
    this.opened = opened;
    this.answer = answer;
    this.sid = opened.sid;
    this.path = sessionPath(server, 'polling', this.sid);
    this.packets = new Inbox('a polling client');
  }

  poll() {
    return get(this.server, this.path);
  }

  post(body, headers = {}) {
    const all = {
      'Content-Type': 'text/plain;charset=UTF-8',
      'Content-Length': Buffer.byteLength(body),
    };
    return request(this.server, 'POST', this.path, { body, headers: { ...all, ...headers } });
  }

  // The next packet; polls for more when none is left.
  async take() {
    if (this.packets.messages.length === 0) {
      const { status, text } = await this.poll();
      if (status !== 200) throw new Error(`poll answered ${status} ${text}`);
      for (const packet of text.split('\x1e')) this.packets.push(packet);
    }
    return this.packets.take(() => true, 'packet');
  }
}

// Whether the Engine.IO session is still known, asked in a way that does not disturb it.
export async function sessionLives(server, sid) {
  const { json } = await get(server, sessionPath(server, 'websocket', sid));
  return json?.code !== 1;
}
