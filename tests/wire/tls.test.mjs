// TLS on the port that clients come to: official clients by both transports, new certificates while
// sessions go on, and those who speak no TLS, or none that is whole.
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { createRoom, joined, longRoom, meet, Peer } from '../lib/clients.mjs';
import { runHostd, startHostd, startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { RawConnection, RawWebSocket } from '../lib/raw.mjs';
import { endCertificate, makeCertificate, secure, tlsOptions } from '../lib/tls.mjs';
import { eventually, within } from '../lib/wait.mjs';

const first = makeCertificate({ name: 'first' });
const second = makeCertificate({ name: 'second', kind: 'rsa' });
const options = tlsOptions(first);

let server;
before(async () => {
  server = await startServer(options);
});
after(() => server.stop());

const connect = async (port) => {
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await within(new Promise((resolve) => socket.once('connect', resolve)), 'TCP connection');
  return socket;
};
const closed = (socket) => within(new Promise((resolve) => socket.once('close', resolve)), 'close');
// A handshake with settings of tls.connect.
const shake = async (port, settings) => secure(await connect(port), port, settings);
const shownName = async (port, cert) => {
  const secured = await shake(port, { ca: readFileSync(cert) });
  const { CN } = secured.getPeerCertificate().subject;
  secured.destroy();
  return CN;
};
const descriptors = () => readdirSync(`/proc/${server.hostd.pid}/fd`).length;

// Both say something to each other.
async function assertTalk(a, b) {
  await a.receivesOnlyFrom(b);
  await b.receivesOnlyFrom(a);
}

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
  test(`the official client by ${transports.join(', then ')}: rooms, relays, 1 MB each way`, async () => {
    const {
      peers: [a, b],
      close,
    } = await meet(server, 2, { transports });
    const upgraded = ({ transport }) => transport === transports.at(-1);
    await eventually(() => upgraded(a) && upgraded(b), 'last transport');
    const offer = 'o'.repeat(999_000);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      from.emit('offer', { peerId: to.id, from: from.id, offer });
      assert.equal((await to.take('offer')).offer, offer);
    }
    await assertTalk(a, b);
    await close();
  });
}

test('a thousand messages each way arrive in order', async () => {
  const {
    peers: [a, b],
    close,
  } = await meet(server, 2);
  const kCount = 1000;
  for (const [from, to] of [
    [a, b],
    [b, a],
  ]) {
    for (let i = 0; i < kCount; ++i) {
      from.emit('ice-candidate', { peerId: to.id, from: from.id, candidate: `${i}` });
    }
  }
  for (const peer of [a, b]) {
    for (let i = 0; i < kCount; ++i) {
      assert.equal((await peer.take('ice-candidate')).candidate, `${i}`);
    }
  }
  await close();
});

test('the HTTP API is there, on a connection that stays', async () => {
  assert.equal((await get(server, '/health')).json.status, 'healthy');
  const connection = await RawConnection.open(server.port);
  for (let i = 0; i < 3; ++i) {
    connection.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal((await connection.answer()).status, 200);
  }
  connection.close();
});

test('a request that comes in records of one byte is served', async () => {
  const connection = await RawConnection.open(server.port);
  connection.transport.setNoDelay(true);
  for (const byte of `GET /health?${'x'.repeat(1000)} HTTP/1.1\r\nHost: a\r\n\r\n`) {
    connection.write(byte);
    await new Promise(setImmediate);
  }
  assert.equal((await connection.answer()).status, 200);
  connection.close();
});

test('a client that half-closes gets its answer, and the end of the stream', async () => {
  const connection = await RawConnection.open(server.port);
  connection.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
  connection.socket.end();
  assert.equal((await connection.answer()).status, 200);
  await within(connection.closed, 'end');
});

test('TLS 1.2 and 1.3 with forward secrecy, no older one, and no HTTP/2', async () => {
  for (const [version, cipher] of [
    ['TLSv1.2', /^ECDHE-.*(GCM|POLY1305)/],
    ['TLSv1.3', /^TLS_/],
  ]) {
    const secured = await shake(server.port, {
      minVersion: version,
      maxVersion: version,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    assert.deepEqual([secured.getProtocol(), secured.alpnProtocol], [version, 'http/1.1']);
    assert.match(secured.getCipher().name, cipher);
    secured.destroy();
  }
  const ciphers = 'ALL:@SECLEVEL=0';
  for (const old of [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers },
    { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA' },
  ]) {
    await assert.rejects(shake(server.port, old), /alert|handshake/);
  }
  const strict = await startHostd({
    ...options,
    'redis.url': server.redis.url,
    'tls.min_version': '1.3',
  });
  await assert.rejects(shake(strict.port, { maxVersion: 'TLSv1.2' }), /alert|version/);
  (await shake(strict.port)).destroy();
  await strict.stop();
});

test('a client cannot renegotiate', async () => {
  const secured = await shake(server.port, { maxVersion: 'TLSv1.2' });
  const refused = new Promise((resolve) => {
    secured.once('error', resolve);
    secured.renegotiate({}, resolve);
  });
  assert.match((await within(refused, 'refusal'))?.message, /renegotiation/);
  secured.destroy();
});

test('plain HTTP on the TLS port, and TLS on the plain port, are closed', async () => {
  const plain = await connect(server.port);
  let answer = '';
  plain.on('data', (data) => (answer += data.toString('latin1')));
  plain.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
  await closed(plain);
  assert.doesNotMatch(answer, /healthy|HTTP\/1.1 200/);

  const without = await startHostd({
    'redis.url': server.redis.url,
    'tls.cert': null,
    'tls.key': null,
  });
  await assert.rejects(shake(without.port));
  assert.equal((await get(without, '/health')).status, 200);
  await without.stop();
});

test('a handshake that is not whole in time is closed, whatever has come of it', async () => {
  const impatient = await startHostd({
    ...options,
    'redis.url': server.redis.url,
    'http.request_timeout': 1000,
  });
  const hello = await new Promise((resolve) => {
    const listener = net.createServer((socket) => {
      socket.once('data', (data) => {
        resolve(data);
        socket.destroy();
        listener.close();
      });
    });
    listener.listen(0, '127.0.0.1', () => {
      tls.connect(listener.address().port, '127.0.0.1').on('error', () => {});
    });
  });
  const begun = Date.now();
  const silent = await connect(impatient.port);
  const dripping = await connect(impatient.port);
  const stalled = await connect(impatient.port);
  let at = 0;
  const drip = setInterval(() => dripping.write(hello.subarray(at, ++at)), 100);
  stalled.write(hello);
  for (const socket of [silent, dripping, stalled]) socket.resume();
  await Promise.all([silent, dripping, stalled].map(closed));
  clearInterval(drip);
  assert.ok(Date.now() - begun >= 900);
  assert.ok(at < hello.length);
  await impatient.stop();
});

test('a new certificate is for new connections; one that is bad for none', async () => {
  const files = makeCertificate();
  const use = ({ cert, key }) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  use(first);
  const one = await startServer(tlsOptions(files));
  const {
    peers: [a, b],
    roomId,
    close,
  } = await meet(one, 2);
  assert.equal(await shownName(one.port, first.cert), 'first');

  // Of another kind, too: the old one must not linger for clients that would like it better.
  use(second);
  one.hostd.child.kill('SIGHUP');
  await one.hostd.logged(/certificate and key were read again/);
  assert.equal(await shownName(one.port, second.cert), 'second');
  await assert.rejects(shownName(one.port, first.cert), /self-signed/);
  await assertTalk(a, b);
  const c = await Peer.connect(one, { ca: readFileSync(second.cert) });
  assert.deepEqual(await c.join(roomId), joined(roomId));
  for (const peer of [a, b]) assert.deepEqual(await peer.take('ready'), { peerId: c.id });

  copyFileSync(first.key, files.key);
  one.hostd.child.kill('SIGHUP');
  await one.hostd.logged(/level=error msg="the certificate read before stays in use" error="option tls.key: .* is not the key of /);
  writeFileSync(files.cert, 'nothing');
  one.hostd.child.kill('SIGHUP');
  await one.hostd.logged(/level=error msg="the certificate read before stays in use" error="option tls.cert: /);
  assert.equal(await shownName(one.port, second.cert), 'second');
  await assertTalk(a, b);
  await c.close();
  await close();
  await one.stop();
});

test('what cannot be used is refused at the start, by option and file', async () => {
  const { cert, key } = first;
  for (const [given, error] of [
    [{ 'tls.cert': cert }, /option tls\.cert: needs tls\.key/],
    [{ 'tls.key': key }, /option tls\.key: needs tls\.cert/],
    [{ 'tls.cert': '/none', 'tls.key': key }, /option tls\.cert: '\/none': No such file/],
    [{ 'tls.cert': cert, 'tls.key': '/none' }, /option tls\.key: '\/none': No such file/],
    [{ 'tls.cert': key, 'tls.key': key }, /option tls\.cert: '.*key\.pem'/],
    [{ 'tls.cert': cert, 'tls.key': second.key }, /option tls\.key: .* is not the key of/],
    [{ ...options, 'tls.min_version': '1.1' }, /tls\.min_version: '1\.1' is not allowed; 1\.2 or/],
  ]) {
    const { code, stderr } = await runHostd({
      'redis.url': server.redis.url,
      'listen.port': 0,
      ...given,
    });
    assert.equal(code, 2, stderr);
    assert.match(stderr, error);
  }
});

test('a certificate that has ended is told in the log', async () => {
  const ended = await startHostd({
    ...tlsOptions(endCertificate(makeCertificate())),
    'redis.url': server.redis.url,
  });
  await ended.logged(/level=warning msg="the certificate is not valid now"/);
  await ended.stop();
});

test('clients that break off leave nothing behind, at whatever point', async () => {
  await get(server, '/health');
  await eventually(async () => (await get(server, '/health')).status === 200, 'answer');
  const calm = descriptors();
  const request = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n';
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const socket = await connect(server.port);
      if (index % 4 === 0) return socket.resetAndDestroy();
      const secured = await secure(socket, server.port);
      secured.on('error', () => {});
      if (index % 4 === 2) secured.write(request.slice(0, 30));
      if (index % 4 === 3) secured.write(request);
      return new Promise((resolve) => {
        socket.once('close', resolve);
        setImmediate(() => socket.resetAndDestroy());
      });
    }),
  );
  await eventually(() => descriptors() <= calm, 'as many descriptors as before');
  assert.equal((await get(server, '/health')).status, 200);
});

test('a client that stops reading for a while misses nothing', async () => {
  const patient = await startServer({ ...options, 'engineio.max_buffered': 100_000_000 });
  const {
    peers: [a, b],
    close,
  } = await meet(patient, 2);
  const socket = b.socket.io.engine.transport.ws._socket;
  socket.pause();
  const offers = Array.from({ length: 25 }, (_, index) => `${index}`.padEnd(900_000, 'x'));
  for (const offer of offers) a.emit('offer', { peerId: b.id, from: a.id, offer });
  await a.join('none'); // is answered when the server has dealt with all of them
  socket.resume();
  for (const offer of offers) assert.ok((await b.take('offer')).offer === offer);
  await close();
  await patient.stop();
});

test('a connection counts until its client has taken what it was sent last', async () => {
  const one = await startServer({
    ...options,
    'proxy.trusted': '192.0.2.0/24',
    'limits.connections_per_ip': 1,
    'engineio.max_buffered': 4_000_000,
  });
  const come = () => RawWebSocket.connect(one, { localAddress: '127.0.0.2' });
  const roomId = longRoom();
  await one.redis.command('HSET', `room:${roomId}`, 'created_at', '1');
  const peer = await Peer.connect(one);
  assert.deepEqual(await peer.join(roomId), joined(roomId));
  const descriptors = () => readdirSync(`/proc/${one.hostd.pid}/fd`).length;
  const calm = descriptors();
  const reader = await come();
  assert.deepEqual(await reader.join(roomId), joined(roomId));
  assert.deepEqual(await peer.take('ready'), { peerId: reader.id });
  reader.connection.socket.pause();
  let given = true;
  const end = peer.take('peer-disconnected').finally(() => (given = false));
  while (given) {
    peer.emit('offer', { peerId: reader.id, offer: 'x'.repeat(900_000) });
    await peer.join('none'); // one after another, or nothing would have gone on to the reader
  }
  assert.deepEqual(await end, { peerId: reader.id });
  // How long that takes is the kernel's: it may have room for all of it, or the server waits 5 s.
  const next = await eventually(() => come().catch(() => null), 'room', 15000);
  next.close();
  await eventually(() => descriptors() === calm, 'its end, before there was room', 2500);
  reader.close();
  await peer.close();
  await one.stop();
});

test('workers: clients upgrade, and rooms hold, whichever worker a connection comes to', async () => {
  const many = await startHostd({ ...options, 'redis.url': server.redis.url, workers: 3 });
  const roomId = longRoom();
  await createRoom(many, roomId);
  const peers = [];
  for (let i = 0; i < 9; ++i) {
    const peer = await Peer.connect(many, { transports: ['polling', 'websocket'] });
    await eventually(() => peer.transport === 'websocket', 'upgrade');
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    peers.push(peer);
  }
  assert.equal(new Set(peers.map(({ sid }) => sid[0])).size, 3, 'every worker has some');
  for (const from of peers) {
    for (const to of peers) {
      if (from === to) continue;
      from.emit('offer', { peerId: to.id, from: from.id, offer: { by: from.id } });
      assert.deepEqual((await to.take('offer')).offer, { by: from.id });
    }
  }
  await Promise.all(peers.map((peer) => peer.close()));
  await many.stop();
});

test('a load balancer tells whose a connection is before the handshake', async () => {
  const behind = await startHostd({
    ...options,
    'redis.url': server.redis.url,
    'proxy.protocol': '127.0.0.1',
    'limits.connections_per_ip': 1,
  });
  const come = async (client) => {
    const socket = await connect(behind.port);
    socket.write(`PROXY TCP4 ${client} 192.0.2.99 4711 443\r\n`);
    return new RawConnection(await secure(socket, behind.port), socket);
  };
  const one = await come('192.0.2.1');
  await assert.rejects(come('192.0.2.1'));
  const other = await come('192.0.2.2');
  for (const connection of [one, other]) {
    connection.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal((await connection.answer()).status, 200);
    connection.close();
  }
  await behind.stop();
});
