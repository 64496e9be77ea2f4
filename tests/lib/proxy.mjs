// A TCP proxy of the test's own between a node and its Redis, that can spoil the line.
import net from 'node:net';

// Ends a TCP connection by a reset; by a close where its end was sent already: Node 20 never gets rid of
// a socket that is reset then, and does not exit.
export function reset(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

// What the line does:
//   pass    everything passes
//   hole    as a cut cable: nothing passes, nothing is refused. What was written meanwhile passes once
//           it is healed, also on connections that the node has given up since, as TCP would do it
//   deaf    commands reach Redis, answers are held back until it is healed
//   delay   what the node writes arrives `ms` later
//   mute    what Redis says on its own, on connections that have subscribed, is held back
//   cut     every connection is reset, and each new one, too
export class Proxy {
  // `target`: a port of 127.0.0.1, or the path of a unix socket.
  static async start(target) {
    const proxy = new Proxy(target);
    await new Promise((resolve, reject) =>
      proxy.server.listen(0, '127.0.0.1', resolve).once('error', reject),
    );
    proxy.server.unref();
    return proxy;
  }

  constructor(target) {
    this.target = typeof target === 'number' ? { host: '127.0.0.1', port: target } : { path: target };
    this.mode = 'pass';
    this.ms = 0;
    this.lines = new Set();
    this.server = net.createServer({ allowHalfOpen: true }, (socket) => {
      if (this.mode === 'cut') reset(socket);
      else this.lines.add(new Line(this, socket));
    });
  }

  get port() {
    return this.server.address().port;
  }

  set(mode, ms = 0) {
    this.mode = mode;
    this.ms = ms;
    for (const line of this.lines) {
      if (mode === 'cut') line.reset();
      else line.update();
    }
  }

  heal() {
    this.set('pass');
  }

  stop() {
    for (const line of this.lines) line.reset();
    this.server.close();
  }
}

// One connection: two queues of chunks (null is the end), and when each may go on.
class Line {
  constructor(proxy, node) {
    this.proxy = proxy;
    this.node = node;
    this.redis = net.connect({ ...proxy.target, allowHalfOpen: true });
    this.toRedis = [];
    this.toNode = [];
    this.subscribed = false;
    this.carry(node, this.toRedis);
    this.carry(this.redis, this.toNode);
    this.redis.on('error', () => {});
    this.node.on('error', () => {});
    this.node.on('close', () => this.update());
    this.redis.on('close', () => this.update());
  }

  carry(from, queue) {
    from.setNoDelay(true);
    from.unref();
    const push = (chunk) => {
      queue.push({ chunk, at: performance.now() });
      this.flush();
    };
    from.on('data', push);
    from.on('end', () => push(null));
  }

  flush() {
    const { mode, ms } = this.proxy;
    this.pump(this.toRedis, this.redis, mode === 'hole' ? Infinity : mode === 'delay' ? ms : 0);
    const held = ['hole', 'deaf'].includes(mode) || (mode === 'mute' && this.subscribed);
    this.pump(this.toNode, this.node, held ? Infinity : 0);
  }

  pump(queue, to, wait) {
    while (queue.length > 0) {
      const due = queue[0].at + wait;
      const now = performance.now();
      if (due > now) {
        if (due !== Infinity) setTimeout(() => this.flush(), due - now + 1).unref();
        return;
      }
      const { chunk } = queue.shift();
      if (to === this.redis && chunk?.includes('SUBSCRIBE')) this.subscribed = true;
      if (to.destroyed) continue;
      if (chunk === null) to.end();
      else to.write(chunk);
    }
  }

  // Passes on what may pass, and that an end is gone, unless the line holds that back, too.
  update() {
    this.flush();
    if (['hole', 'deaf'].includes(this.proxy.mode)) return;
    if (this.redis.destroyed) {
      reset(this.node);
      this.proxy.lines.delete(this);
    } else if (this.node.destroyed && this.toRedis.at(-1)?.chunk !== null) {
      // The node's last words go first.
      this.toRedis.push({ chunk: null, at: performance.now() });
      this.flush();
    }
  }

  reset() {
    reset(this.node);
    reset(this.redis);
    this.proxy.lines.delete(this);
  }
}
