// What a client can hold before it has asked for anything: connections of one address, connections
// without a request, and the time that a request may take to come.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startApp } from '../lib/apps.mjs';
import { startHostd, startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { temporaryDirectory } from '../lib/process.mjs';
import { RawConnection, RawPolling, RawWebSocket } from '../lib/raw.mjs';
import { expectTls, makeCertificate, tlsOptions } from '../lib/tls.mjs';
import { eventually, within } from '../lib/wait.mjs';

const kGet = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
const kNobodyTrusted = { 'proxy.trusted': '192.0.2.0/24' };

const stops = [];
const serve = async (options) => {
  const server = await startServer({ 'limits.connections_per_ip': 3, ...options });
  stops.push(() => server.stop());
  return server;
};

let direct; // clients are who their connections come from
let proxied; // we are a trusted proxy
let patient; // waits a second for a request
before(async () => {
  direct = await serve({ workers: 3, ...kNobodyTrusted });
  proxied = await serve({ workers: 3 });
  patient = await serve({ 'http.request_timeout': 1000, workers: 2 });
});
after(() => Promise.all(stops.map((stop) => stop())));

const connect = (server, localAddress) => RawConnection.open(server.port, undefined, localAddress);

// Whether a new connection from there is answered, and not closed.
async function isServed(server, localAddress) {
  const connection = await connect(server, localAddress).catch(() => null);
  if (!connection) return false;
  connection.write(kGet);
  const answer = await connection.answer();
  connection.close();
  return answer?.status === 200;
}

test('an address has no more connections than the limit; others do not feel it', async () => {
  const held = [];
  for (let i = 0; i < 3; i++) {
    held.push(await RawWebSocket.connect(direct, { localAddress: '127.0.0.2' }));
  }
  const fourth = await connect(direct, '127.0.0.2');
  await within(fourth.closed, 'end of the fourth connection');
  assert.equal(fourth.received.length, 0);
  assert.equal(await isServed(direct, '127.0.0.3'), true);
  held.pop().close();
  await eventually(() => isServed(direct, '127.0.0.2'), 'room for one more');
  for (const ws of held) ws.close();
});

test('connections that say nothing count, and closed ones do not', async () => {
  const silent = await Promise.all([1, 2, 3].map(() => connect(direct, '127.0.0.4')));
  await eventually(async () => !(await isServed(direct, '127.0.0.4')), 'the limit');
  for (const connection of silent) connection.close();
  await eventually(() => isServed(direct, '127.0.0.4'), 'room again');
  for (let i = 0; i < 10; i++) {
    await eventually(() => isServed(direct, '127.0.0.4'), 'one after another');
  }
});

const forwarded = (address) => ({ headers: { 'X-Forwarded-For': address } });

for (const [name, first, neighbour, other] of [
  ['IPv4', '198.51.100.1', '198.51.100.1', '198.51.100.2'],
  ['IPv6', '2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:db8:0:2::1'],
]) {
  test(`a client behind a trusted proxy is counted by its address (${name})`, async () => {
    const held = [];
    for (let i = 0; i < 3; i++) held.push(await RawWebSocket.connect(proxied, forwarded(first)));
    await assert.rejects(RawWebSocket.connect(proxied, forwarded(neighbour)), /"status":429/);
    const refused = await get(
      proxied,
      '/socket.io/?EIO=4&transport=polling',
      forwarded(neighbour).headers,
    );
    assert.equal(refused.status, 429);
    assert.match(refused.headers['retry-after'], /^\d+$/);
    assert.deepEqual(refused.json, { error: 'Too many connections from this address' });
    (await RawWebSocket.connect(proxied, forwarded(other))).close();
    held.pop().close();
    const again = () => RawWebSocket.connect(proxied, forwarded(neighbour)).catch(() => null);
    held.push(await eventually(again, 'room for one more'));
    for (const ws of held) ws.close();
  });
}

test('polls that wait count; answered requests do not, nor do the connections of the proxy', async () => {
  const { headers } = forwarded('198.51.100.9');
  const request = (path) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n`;
  const idle = [];
  for (let i = 0; i < 6; i++) {
    const connection = await connect(proxied);
    connection.write(request('/health'));
    assert.equal((await connection.answer()).status, 200);
    idle.push(connection);
  }
  // Refused while the handshake counts, which it does a moment longer than until it is answered.
  const poll = async (connection, polling) => {
    for (;;) {
      connection.write(request(polling.path));
      const answer = await connection.answer();
      if (answer?.status !== 429) return answer;
    }
  };
  const waiting = [];
  const polls = [];
  for (let i = 0; i < 3; i++) {
    waiting.push(await RawPolling.connect(proxied, headers));
    polls.push(poll(idle[i], waiting[i]));
  }
  const asks = async () => {
    idle[3].write(request('/health'));
    return (await idle[3].answer()).status;
  };
  await eventually(async () => (await asks()) === 429, 'the limit');
  await waiting[0].post('40');
  assert.equal((await polls[0]).status, 200);
  assert.equal(await asks(), 200);
  for (const connection of idle) connection.close();
  await Promise.all(polls);
});

test('a refused body is not taken for a request', async () => {
  const held = [];
  for (let i = 0; i < 3; i++) {
    held.push(await RawWebSocket.connect(proxied, forwarded('198.51.100.8')));
  }
  const connection = await connect(proxied);
  const head = 'POST /api/check_room HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.8\r\n';
  connection.write(`${head}Content-Length: ${kGet.length}\r\n\r\n`);
  const answer = await connection.answer();
  assert.equal(answer.status, 429);
  assert.match(answer.head, /\r\nconnection: close/i);
  connection.write(kGet + kGet);
  assert.equal(await connection.answer(), null);
  for (const ws of held) ws.close();
});

test('the limit changes while it serves, and 0 is none', async () => {
  const file = path.join(temporaryDirectory(), 'door.toml');
  writeFileSync(file, 'limits.connections_per_ip = 1\n');
  const hostd = await startHostd({ config: file, 'redis.url': direct.redis.url, ...kNobodyTrusted });
  try {
    const held = [await connect(hostd)];
    await eventually(async () => !(await isServed(hostd)), 'the limit');
    writeFileSync(file, 'limits.connections_per_ip = 0\n');
    hostd.child.kill('SIGHUP');
    await hostd.logged(/option=limits.connections_per_ip value=0/);
    await eventually(() => isServed(hostd), 'the end of the limit'); // it is logged a little ahead
    for (let i = 0; i < 20; i++) held.push(await connect(hostd));
    assert.equal(await isServed(hostd), true);
    for (const connection of held) connection.close();
  } finally {
    await hostd.stop();
    rmSync(file);
  }
});

const kPost = 'POST /api/check_room HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n';
const certificate = makeCertificate();
const kIntroduction = 'PROXY TCP4 192.0.2.1 192.0.2.99 4711 80\r\n';
const kNoTls = { 'tls.cert': null, 'tls.key': null };
const begin = (beginning) => async (server) => {
  const connection = await connect(server);
  connection.write(beginning);
  return connection;
};
// Without TLS: what is there of one before its handshake.
const beginBare = (beginning) => async (server) => {
  const socket = net.connect(server.port, '127.0.0.1');
  await within(new Promise((resolve) => socket.once('connect', resolve)), 'TCP connection');
  socket.write(beginning);
  return new RawConnection(socket);
};

// Four that wait, each at another point.
for (const [kind, options, waiting] of [
  ['', {}, [begin(''), begin('G'), begin('GET / HTTP/1.1\r\nHost: x\r\n'), begin(kPost)]],
  [' over TLS', tlsOptions(certificate), [beginBare(''), beginBare('\x16\x03'), begin('G'), begin(kPost)]],
  [
    ' behind a balancer',
    { 'proxy.protocol': '127.0.0.1', 'limits.connections_per_ip': 0, ...kNoTls },
    ['', 'PROX', `${kIntroduction}GET /`, kIntroduction + kPost].map(begin),
  ],
]) {
  for (const workers of [1, 3]) {
    test(`who has waited longest with a request makes room${kind}, with workers: ${workers}`, async () => {
      const server = await serve({ workers, 'limits.handshakes': 4, ...options });
      const introduction = kind === ' behind a balancer' ? kIntroduction : '';
      const isAnswered = async () => {
        const connection = await begin(introduction + kGet)(server);
        const answer = await connection.answer();
        connection.close();
        return answer?.status === 200;
      };
      assert.equal(await isAnswered(), true);
      const asked = await begin(introduction + kGet)(server);
      assert.equal((await asked.answer()).status, 200);
      const held = [];
      for (const come of waiting) held.push(await come(server));
      const ended = () => held.map(({ ended }) => Number(ended)).join('');
      const count = () => held.filter(({ ended }) => ended).length;
      // One goes if a newcomer's request is not here yet when it is accepted.
      for (let i = 0; i < 10; i++) assert.equal(await isAnswered(), true, `newcomer ${i}`);
      assert.ok(count() <= 1, ended());
      for (let i = 0; i < 4; i++) held.push(await begin(introduction)(server));
      await eventually(() => count() === 4, 'room for four');
      if (workers === 1) assert.equal(ended(), '11110000');
      asked.write(kGet); // who has asked goes on
      assert.equal((await asked.answer()).status, 200);
      assert.equal(count(), 4, 'nobody else has gone');
      for (const connection of [...held, asked]) connection.close();
    });
  }
}

// Writes one byte of `text` a while until the connection ends; gives how long it lasted.
async function drip(connection, text) {
  const begun = Date.now();
  let at = 0;
  const dripping = setInterval(() => connection.write(text[at++ % text.length]), 100);
  await within(connection.closed, 'end of a slow connection').finally(() =>
    clearInterval(dripping),
  );
  return Date.now() - begun;
}

for (const [kind, options] of [
  ['', {}],
  [' over TLS', tlsOptions(certificate)],
]) {
  test(`a request that is here when the server finds time is not late${kind}`, async () => {
    const settings = Object.entries({ 'http.request_timeout': 500, ...options });
    const app = await startApp('http_echo', settings.map((setting) => setting.join('=')));
    if (kind) expectTls(app.port, certificate.cert);
    const busy = await connect(app);
    const first = await connect(app);
    const kept = await connect(app);
    kept.write(kGet);
    assert.equal((await kept.answer()).status, 200);
    for (const connection of [first, kept]) connection.write(kGet.slice(0, 9));
    const last = await connect(app); // behind it all these are waited for
    last.write(kGet);
    assert.equal((await last.answer()).status, 200);
    busy.write('GET /?busy=600 HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const connection of [first, kept]) connection.write(kGet.slice(9));
    for (const connection of [busy, first, kept]) {
      assert.equal((await connection.answer())?.status, 200);
    }
    for (const connection of [busy, first, kept, last]) connection.close();
    await app.stop();
  });
}

for (const [name, beginning, rest, most] of [
  ['nothing at all', '', null, 1600],
  ['a beginning', 'GET /hea', null, 1600],
  ['a header that drips', '', `GET /health HTTP/1.1\r\n${'X-Q: y\r\n'.repeat(100)}`, 1600],
  ['a body that drips', kPost, 'x', 2600],
  ['a body that stops', `${kPost}xxx`, null, 2600],
  ['nothing but a chunk', kPost.replace(/Content.*/, 'Transfer-Encoding: chunked'), '1', 2600],
]) {
  for (const kept of [false, true]) {
    if (kept && name === 'nothing at all') continue; // that is http.keep_alive's
    test(`${name}, as ${kept ? 'a later' : 'the first'} request, does not last`, async () => {
      const connection = await connect(patient);
      if (kept) {
        connection.write(kGet);
        assert.equal((await connection.answer()).status, 200);
      }
      connection.write(beginning);
      const begun = Date.now();
      if (rest) await drip(connection, rest);
      else await within(connection.closed, 'end of a slow connection');
      const took = Date.now() - begun;
      assert.ok(took > 500 && took < most, `${took} ms`);
    });
  }
}

test('an address has no more sessions than connections, also where they need none', async () => {
  const open = (server, headers) => get(server, '/socket.io/?EIO=4&transport=polling', headers);
  const from = (address) => ({ 'X-Forwarded-For': address });
  const sids = [];
  for (let i = 0; i < 3; i++) sids.push((await open(proxied, from('203.0.113.9'))).text);
  const { status, headers } = await open(proxied, from('203.0.113.9'));
  assert.deepEqual([status, headers['retry-after']], [429, '5']);
  assert.equal((await open(proxied, from('203.0.113.10'))).status, 200);
  // A proxy that does not say for whom it asks is not one client.
  for (let i = 0; i < 5; i++) assert.equal((await open(proxied)).status, 200);
  const { sid } = JSON.parse(sids[0].slice(1));
  await new RawPolling(proxied, { sid }).post('1');
  await eventually(async () => (await open(proxied, from('203.0.113.9'))).status === 200, 'room');
});

test('the rest of a body that was refused has no more time than a request', async () => {
  const connection = await connect(patient);
  connection.write('POST /api/create_room HTTP/1.1\r\nHost: x\r\nContent-Length: 1500000\r\n\r\n');
  assert.equal((await connection.answer()).status, 413);
  const drip = setInterval(() => connection.write('x'), 100);
  await eventually(() => connection.ended, 'its end');
  clearInterval(drip);
  connection.close();
});

for (const path of ['health', 'api/get_room']) {
  test(`a connection that asks no more ends in time (after /${path})`, async () => {
    const server = await serve({ 'http.keep_alive': 1000 });
    const connection = await connect(server);
    connection.write(`GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal((await connection.answer()).status, 200);
    await within(connection.closed, 'end of a quiet connection', { ms: 4000 });
  });
}
