// hostd behind nginx and behind Caddy, as packaging/proxy sets them up: polling, WebSocket and the HTTP
// API come through, and limits of addresses are the client's, whatever it says of itself.
//
// Where one of them is not installed (packaging/install-packages proxy) its tests are skipped.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { request } from '../lib/http.mjs';
import { start, temporaryDirectory } from '../lib/process.mjs';
import { RawConnection } from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';

const kClient = '127.0.0.9'; // no proxy that is trusted here
const kForged = '198.51.100.1';
const kProxies = fileURLToPath(new URL('../../packaging/proxy/', import.meta.url));

// A file of packaging/proxy with each text of `changes`, which must be there, as another.
function configuration(name, changes) {
  let text = readFileSync(path.join(kProxies, name), 'utf8');
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `${name} has no ${from}`);
    text = text.replace(from, to);
  }
  return text;
}

const installed = (command) => {
  try {
    execFileSync(command, ['version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return error.code !== 'ENOENT';
  }
};

async function freePort() {
  const probe = net.createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const accepts = (port) =>
  new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

// Each: how it is started in a directory of its own, with a port to listen on and hostd's.
const kKinds = {
  nginx(directory, port, behind) {
    const site = configuration('nginx.conf', [
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ['server 127.0.0.1:3001;', `server 127.0.0.1:${behind};`],
    ]);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
      .join(' ');
    writeFileSync(
      path.join(directory, 'all.conf'),
      `daemon off; master_process off; pid ${directory}/pid; error_log stderr;\n` +
        `events {}\nhttp { access_log off; ${temporary}\n${site}}\n`,
    );
    return start('nginx', ['-e', 'stderr', '-p', directory, '-c', 'all.conf']);
  },
  caddy(directory, port, behind) {
    const site = configuration('Caddyfile', [
      ['example.org {', `http://127.0.0.1:${port} {`],
      ['127.0.0.1:3001', `127.0.0.1:${behind}`],
    ]);
    const file = path.join(directory, 'Caddyfile');
    writeFileSync(file, `{\n\tadmin off\n}\n${site}`);
    return start('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
      env: { ...process.env, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    });
  },
};

for (const [kind, launch] of Object.entries(kKinds)) {
  describe(kind, { skip: !installed(kind) && 'not installed' }, () => {
    let server;
    let proxy; // where clients go
    before(async () => {
      server = await startServer({
        'proxy.trusted': '127.0.0.1/32',
        'limits.join_enabled': true,
        'tls.cert': null,
        'tls.key': null,
      });
      const port = await freePort();
      const child = launch(temporaryDirectory(), port, server.port);
      proxy = { port, url: `http://127.0.0.1:${port}`, child };
      await eventually(
        () => accepts(port) || assert.equal(child.exitCode, null, child.output.stderr),
        `${kind} listens`,
      );
    });
    after(async () => {
      proxy?.child.kill('SIGTERM');
      if (proxy) await within(proxy.child.exited, `end of ${kind}`);
      await server?.stop();
    });

    const connect = (transports) =>
      Peer.connect(proxy, {
        transports,
        agent: new http.Agent({ localAddress: kClient }),
        extraHeaders: { 'X-Forwarded-For': kForged },
      });

    test('an offer comes through, from polling to WebSocket', async () => {
      const roomId = longRoom();
      await createRoom(proxy, roomId);
      const first = await connect(['polling']);
      const second = await connect(['websocket']);
      assert.deepEqual(await first.join(roomId), joined(roomId));
      assert.deepEqual(await second.join(roomId), joined(roomId));
      const offer = { sdp: 'x'.repeat(200_000) };
      first.emit('offer', { peerId: second.id, from: first.id, offer });
      assert.deepEqual((await second.take('offer')).offer, offer);
      second.emit('answer', { peerId: first.id, from: second.id, answer: offer });
      assert.deepEqual((await first.take('answer')).answer, offer);
      await Promise.all([first.close(), second.close()]);
    });

    test('a client is who it is, not who it says it is', async () => {
      const keys = await server.redis.command('KEYS', 'ratelimit:join:*');
      assert.deepEqual(keys, [`ratelimit:join:${kClient}`]);
    });

    test('a connection that began with polling becomes a WebSocket', async () => {
      const peer = await connect(['polling', 'websocket']);
      await eventually(() => peer.transport === 'websocket', 'upgrade');
      await peer.close();
    });

    test('the health of hostd can be asked', async () => {
      const { status, json } = await request(proxy, 'GET', '/health');
      assert.deepEqual([status, json.status], [200, 'healthy']);
    });

    test('HTTP/2 is not asked of hostd', async () => {
      const connection = await RawConnection.open(proxy.port);
      connection.write(
        'GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n' +
          'HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
      );
      const { status } = await connection.answer();
      assert.equal(status, 200);
      connection.close();
    });
  });
}
