// Plain HTTP: tracking, logs and health, methods and paths, bodies and their framing. The calls about
// rooms are in rooms.test.mjs and leave_room.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { longRoom, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get, post, request } from '../lib/http.mjs';
import { RawConnection } from '../lib/raw.mjs';

let server;
before(async () => {
  server = await startServer({ environment: 'staging' });
});
after(() => server.stop());

const kSequence = '\u001b[31m';

const isError = ({ status, json }) => {
  assert.equal(status, 400);
  assert.equal(typeof json?.error, 'string');
};

const kDayMs = 86400000;
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);
const kDay = dayOf(Date.now());
for (const [name, timestamp] of [
  ['milliseconds', Date.parse(`${kDay}T23:59:59.999Z`)],
  ['an ISO string', `${kDay}T00:00:00.000Z`],
  ['an ISO string with an offset', `${dayOf(Date.now() + kDayMs)}T01:30:00.000+02:00`],
]) {
  test(`set_track with ${name} counts under the UTC day`, async () => {
    const ref = `ref of ${name}`;
    for (const expected of ['1', '2']) {
      const { status, json } = await post(server, '/api/set_track', { ref, timestamp, path: '/x' });
      assert.deepEqual([status, json], [200, { success: true }]);
      assert.equal(await server.redis.command('HGET', `referrers:daily:${kDay}`, ref), expected);
    }
    const ttl = await server.redis.command('TTL', `referrers:daily:${kDay}`);
    assert.ok(ttl > 30 * 86400 - 10 && ttl <= 30 * 86400, `TTL ${ttl}`);
  });
}

// What was asked for stands in no answer: a page that makes a browser ask cannot make it say something.
for (const [name, ask, headers] of [
  ['an unknown path', (word) => ['GET', `/${word}`]],
  ['an unknown query', (word) => ['GET', `/health?${word}=${word}`]],
  ['an unknown transport', (word) => ['GET', `/socket.io/?EIO=4&transport=${word}`]],
  ['an unknown session', (word) => ['GET', `/socket.io/?EIO=4&transport=polling&sid=${word}`]],
  ['an unknown method', (word) => [word, '/api/get_room']],
  ['a bad body', (word) => ['POST', '/api/create_room', `{"${word}":`]],
  ['a bad room id', (word) => ['POST', '/api/create_room', `{"roomId":["${word}"]}`]],
  ['a strange Origin', () => ['GET', '/health'], (word) => ({ Origin: `http://${word}.example` })],
  ['a strange header', () => ['GET', '/health'], (word) => ({ [word]: word })],
]) {
  test(`${name} is not told back, and no answer passes for another type`, async () => {
    const word = 'QUITEANUNUSUALWORD';
    const [method, path, body] = ask(word);
    const length = body === undefined ? {} : { 'Content-Length': body.length };
    const answer = await request(server, method, path, {
      body,
      headers: { 'Content-Type': 'application/json', ...length, ...headers?.(word) },
    });
    const told = JSON.stringify(answer.headers) + answer.text;
    assert.ok(!told.toUpperCase().includes(word), told);
    if (answer.text !== '') assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  });
}

test('set_track counts yesterday, today and tomorrow, and makes no key for other days', async () => {
  const track = async (timestamp) =>
    (await post(server, '/api/set_track', { ref: 'of a day', timestamp })).status;
  // Noon: the days must not change meanwhile.
  const noon = Date.parse(`${kDay}T12:00:00.000Z`);
  for (const days of [-1, 0, 1]) assert.equal(await track(noon + days * kDayMs), 200);
  const known = (await server.redis.command('KEYS', 'referrers:*')).sort();
  for (const days of [-700, -3, 3, 700, 1e6]) {
    const { status, json } = await post(server, '/api/set_track', {
      ref: 'of a day',
      timestamp: noon + days * kDayMs,
    });
    assert.deepEqual([status, json.success], [400, false]);
    assert.match(json.error, /yesterday, today or tomorrow/);
  }
  assert.deepEqual((await server.redis.command('KEYS', 'referrers:*')).sort(), known);
});

test('set_track refuses a missing ref and an unreadable timestamp', async () => {
  const timestamp = Date.now();
  for (const body of [
    {},
    { timestamp },
    { ref: '', timestamp },
    { ref: 7, timestamp },
    { ref: 'bad' },
    { ref: 'bad', timestamp: 'yesterday' },
    { ref: 'bad', timestamp: '' },
    { ref: 'bad', timestamp: {} },
    { ref: 'bad', timestamp: 1e300 },
    { ref: 'bad', timestamp: '2024-13-01' },
  ]) {
    const { status, json } = await post(server, '/api/set_track', body);
    assert.deepEqual(
      [status, json?.success, typeof json?.error],
      [400, false, 'string'],
      JSON.stringify(body),
    );
  }
  for (const key of await server.redis.command('KEYS', 'referrers:daily:*')) {
    assert.equal(await server.redis.command('HEXISTS', key, 'bad'), 0);
  }
});

test('logs_debug logs one line with control characters escaped', async () => {
  const body = { message: `one\r\nlogs----forged ${kSequence}two`, timestamp: 12345 };
  const { status, json } = await post(server, '/api/logs_debug', body);
  assert.deepEqual([status, json], [200, { success: true }]);
  const line = await server.hostd.logged(/logs----timestamp:12345 message:one/);
  assert.ok(line.includes('logs----forged') && line.includes('two'), line);
  assert.ok(!server.hostd.log.includes('\u001b') && !server.hostd.log.includes('\r'));
});

for (const path of ['/health', '/api/health']) {
  test(`GET ${path}`, async () => {
    const { status, json } = await get(server, path);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json).sort(), [
      'environment',
      'service',
      'status',
      'timestamp',
      'uptime',
      'version',
    ]);
    assert.deepEqual(
      [json.status, json.service, json.environment],
      ['healthy', 'privydrop-backend', 'staging'],
    );
    assert.ok(Math.abs(Date.parse(json.timestamp) - Date.now()) < 5000, json.timestamp);
    assert.match(json.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(typeof json.uptime === 'number' && json.uptime >= 0 && json.uptime < 600);
    assert.equal(typeof json.version, 'string');
  });
}

test('GET /health/detailed', async () => {
  const quiet = await startServer({ environment: 'staging' }); // nobody else's connections
  const peer = await Peer.connect(quiet);
  const { status, json } = await get(quiet, '/health/detailed');
  await peer.close();
  await quiet.stop();
  assert.equal(status, 200);
  assert.deepEqual([json.status, json.environment], ['healthy', 'staging']);
  const { redis, socketio } = json.dependencies;
  assert.equal(redis.status, 'connected');
  assert.equal(typeof redis.responseTime, 'number');
  assert.ok('host' in redis && 'port' in redis, JSON.stringify(redis));
  assert.deepEqual(socketio, { status: 'running', connections: 1 });
  const { memory, cpu, uptime, platform, arch } = json.system;
  for (const figure of [memory.percent, cpu.percent, uptime]) assert.equal(typeof figure, 'number');
  assert.deepEqual(Object.keys(memory).sort(), ['free', 'percent', 'total', 'used']);
  assert.ok(memory.percent >= 0 && memory.percent <= 100);
  assert.equal(typeof platform, 'string');
  assert.equal(typeof arch, 'string');
});

const kPost = ['create_room', 'check_room', 'leave_room', 'set_track', 'logs_debug'].map((name) => [
  `/api/${name}`,
  'POST',
]);
const kGet = [
  '/api/get_room',
  '/api/ice_servers',
  '/health',
  '/api/health',
  '/health/detailed',
].map((path) => [path, 'GET']);

test('a known path with a wrong method: 405 with Allow', async () => {
  for (const [path, right] of [...kPost, ...kGet]) {
    for (const method of ['PUT', 'DELETE', 'PATCH', right === 'GET' ? 'POST' : 'GET']) {
      const { status, headers } = await request(server, method, path);
      assert.equal(status, 405, `${method} ${path}`);
      assert.ok((headers.allow ?? '').split(/, */).includes(right), `Allow: ${headers.allow}`);
    }
  }
});

test('an unknown path: 404', async () => {
  for (const path of [
    '/',
    '/api',
    '/api/',
    '/api/nothing',
    '/api/get_roomx',
    '/API/x',
    '/socket.iox/',
    '/api/get_room/extra',
    '/../etc/passwd',
    '/%2e%2e/etc/passwd',
  ]) {
    const { status, json } = await get(server, path);
    assert.deepEqual([status, json], [404, { error: 'Not found' }], path);
  }
});

test('a trailing slash and a query string change nothing', async () => {
  for (const path of [
    '/api/get_room/',
    '/api/get_room?a=b',
    '/health/?x',
    '/api/health?a=%C3%A9',
  ]) {
    assert.equal((await get(server, path)).status, 200, path);
  }
  assert.equal((await post(server, '/api/check_room/', { roomId: 'x' })).status, 200);
});

test('percent-encoding in a path is read or refused, never an error of the server', async () => {
  for (const path of [
    '/api/get%5Froom',
    '/%68ealth',
    '/api/%',
    '/api/%zz',
    '/%00',
    '/health%00',
    '/%ff%fe',
    '/health%2f..%2f..',
    '/%c0%ae%c0%ae/',
    '/health?%00=%ff',
    '/health?%',
  ]) {
    const connection = await RawConnection.open(server.port);
    connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const answer = await connection.answer();
    assert.ok(
      !answer || [200, 400, 403, 404].includes(answer.status),
      `${path}: ${answer?.status}`,
    );
    connection.close();
  }
  assert.equal((await get(server, '/health')).status, 200);
});

test('HEAD has no body and leaves the connection usable', async () => {
  const connection = await RawConnection.open(server.port);
  const head = (method) => `${method} /health HTTP/1.1\r\nHost: x\r\n\r\n`;
  connection.write(head('HEAD'));
  const first = await connection.read((buffer) => {
    const end = buffer.indexOf('\r\n\r\n');
    return end < 0 ? null : { value: buffer.toString('latin1', 0, end), length: end + 4 };
  }, 'HEAD answer');
  assert.match(first, /^HTTP\/1\.1 (200|405) /);
  connection.write(head('GET'));
  const second = await connection.answer();
  assert.ok(second === null || second.status === 200, 'nothing but a new answer follows');
  connection.close();
});

test('keep-alive: several requests on one connection, also in one packet', async () => {
  const connection = await RawConnection.open(server.port);
  const one = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
  connection.write(one + one);
  for (let count = 0; count < 2; count++) assert.equal((await connection.answer()).status, 200);
  connection.write(one);
  assert.equal((await connection.answer()).status, 200);
  connection.close();
});

test('a body that is no JSON object: 400 with an error', async () => {
  for (const path of kPost.map(([each]) => each)) {
    for (const body of [
      '{"roomId":',
      '[]',
      '[1,2]',
      '7',
      '"text"',
      'null',
      '{"a":1}x',
      '{a:1}',
      `${'['.repeat(50000)}`,
      '{"roomId":"\ud800"',
    ]) {
      isError(await post(server, path, body));
    }
  }
  for (const path of ['/api/create_room', '/api/check_room', '/api/leave_room', '/api/set_track']) {
    isError(await post(server, path, ''));
  }
});

test('a body of another type is not read as JSON', async () => {
  isError(
    await post(server, '/api/create_room', { roomId: 'plain' }, { 'Content-Type': 'text/plain' }),
  );
  assert.equal(await server.redis.command('EXISTS', 'room:plain'), 0);
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  assert.equal(
    (await post(server, '/api/create_room', { roomId: 'charset!' }, headers)).status,
    200,
  );
});

test('the body limit is 100 kB', async () => {
  const padded = (size) => {
    const text = JSON.stringify({ roomId: longRoom(), padding: '' });
    return text.replace('""', `"${'x'.repeat(size - text.length)}"`);
  };
  assert.equal((await post(server, '/api/create_room', padded(102400))).status, 200);
  assert.equal((await post(server, '/api/create_room', padded(102401))).status, 413);

  // Refused on the header alone: nobody waits for such a body.
  const connection = await RawConnection.open(server.port);
  connection.write(
    'POST /api/create_room HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      'Content-Length: 99999999999\r\n\r\n',
  );
  assert.equal((await connection.answer()).status, 413);
  connection.close();
});

test('framing of bodies: chunked is read or refused, ambiguity is refused', async () => {
  const head = 'POST /api/create_room HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const body = JSON.stringify({ roomId: longRoom() });
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  for (const [name, bytes, allowed] of [
    ['chunked', `${head}Transfer-Encoding: chunked\r\n\r\n${chunked}`, [200, 411]],
    [
      'both',
      `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
      [400, 411],
    ],
    [
      'two lengths',
      `${head}Content-Length: ${body.length}\r\nContent-Length: 4\r\n\r\n${body}`,
      [400],
    ],
    ['negative length', `${head}Content-Length: -5\r\n\r\n${body}`, [400]],
    ['no length', `${head}\r\n`, [400, 411]],
  ]) {
    const connection = await RawConnection.open(server.port);
    connection.write(bytes);
    const answer = await connection.answer();
    assert.ok(
      answer === null ? name !== 'chunked' : allowed.includes(answer.status),
      `${name}: ${answer?.status}`,
    );
    connection.close();
  }
});
