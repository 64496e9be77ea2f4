// A redis-server of the test's own (unix socket; no persistence unless asked for) and a small RESP
// client to look into it.
import net from 'node:net';
import path from 'node:path';
import { removeDirectory, start, temporaryDirectory } from './process.mjs';
import { within } from './wait.mjs';

// Starts a server. Give `directory` to start one anew at the same socket, `port` for TCP as well; with
// `appendonly` it writes its data there, and reads what it finds. `flags` are added to its command line.
export async function startRedis({
  directory = temporaryDirectory(),
  port = 0,
  appendonly = false,
  flags = [],
} = {}) {
  const socket = path.join(directory, 'redis.sock');
  const child = start('redis-server', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--unixsocket',
    socket,
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    appendonly ? 'yes' : 'no',
    '--daemonize',
    'no',
    ...flags,
  ]);
  const ready = new Promise((resolve, reject) => {
    child.stdout.on('data', () => /ready to accept/i.test(child.output.stdout) && resolve());
    child.exited.then(
      () => reject(new Error(`redis-server ended: ${child.output.stdout}`)),
      reject,
    );
  });
  await within(ready, 'redis-server');
  const client = await RedisClient.connect(socket);
  return {
    child,
    directory,
    url: `unix://${socket}`,
    command: (...args) => client.command(...args),
    pipeline: (commands) => Promise.all(commands.map((args) => client.command(...args))),
    // Ends the server and keeps its directory.
    async kill() {
      client.close();
      child.kill('SIGKILL');
      await within(child.exited, 'end of redis-server');
    },
    async stop() {
      await this.kill();
      removeDirectory(directory);
    },
  };
}

export class RedisClient {
  // `where`: the path of a unix socket, or a port of 127.0.0.1.
  static async connect(where) {
    const socket = net.connect(where);
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RedisClient(socket);
  }

  constructor(socket) {
    this.socket = socket;
    this.pending = [];
    this.buffer = Buffer.alloc(0);
    socket.unref(); // idle, it keeps no test process alive
    socket.on('data', (data) => {
      this.buffer = Buffer.concat([this.buffer, data]);
      this.drain();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const { reject } of this.pending.splice(0)) reject(new Error('redis connection closed'));
    });
  }

  command(...args) {
    const parts = args.map((arg) => Buffer.from(String(arg)));
    const head = Buffer.from(`*${parts.length}\r\n`);
    const body = parts.flatMap((part) => [
      Buffer.from(`$${part.length}\r\n`),
      part,
      Buffer.from('\r\n'),
    ]);
    this.socket.ref();
    this.socket.write(Buffer.concat([head, ...body]));
    return new Promise((resolve, reject) => this.pending.push({ resolve, reject }));
  }

  close() {
    this.socket.destroy();
  }

  drain() {
    for (;;) {
      const reply = parse(this.buffer, 0);
      if (!reply) return;
      this.buffer = this.buffer.subarray(reply.next);
      const { resolve, reject } = this.pending.shift();
      if (this.pending.length === 0) this.socket.unref();
      if (reply.value instanceof Error) reject(reply.value);
      else resolve(reply.value);
    }
  }
}

// One RESP2 reply from `offset`: { value, next }, or null when it is not complete yet.
function parse(buffer, offset) {
  const lineEnd = buffer.indexOf('\r\n', offset);
  if (lineEnd < 0) return null;
  const line = buffer.toString('utf8', offset + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(buffer[offset])) {
    case '+':
      return { value: line, next };
    case '-':
      return { value: new Error(line), next };
    case ':':
      return { value: Number(line), next };
    case '$': {
      const length = Number(line);
      if (length < 0) return { value: null, next };
      if (buffer.length < next + length + 2) return null;
      return { value: buffer.toString('utf8', next, next + length), next: next + length + 2 };
    }
    case '*': {
      const value = [];
      let at = next;
      for (let left = Number(line); left > 0; left--) {
        const item = parse(buffer, at);
        if (!item) return null;
        value.push(item.value);
        at = item.next;
      }
      return { value, next: at };
    }
    default:
      throw new Error(`not RESP: ${line}`);
  }
}
