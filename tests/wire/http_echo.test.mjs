// What the net floor shows a handler of each request: build/tests/apps/http_echo. Methods and their
// bodies, headers, the handshake of an Engine.IO session, and statuses that a host may choose.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { appPath, startApp } from '../lib/apps.mjs';
import { get, request } from '../lib/http.mjs';
import { start } from '../lib/process.mjs';
import { RawConnection, RawWebSocket } from '../lib/raw.mjs';
import { within } from '../lib/wait.mjs';

let server; // keeps headers, X-Tenant and X-Request-Id among them
let plain; // keeps none
before(async () => {
  server = await startApp('http_echo', ['http.headers=X-Tenant, x-request-id, User-Agent']);
  plain = await startApp('http_echo');
});
after(() => Promise.all([server.stop(), plain.stop()]));

const kBodyMethods = ['POST', 'PUT', 'PATCH', 'DELETE'];

// A raw request; each header is a line.
const raw = (method, path, headers = [], body = '', version = 'HTTP/1.1') =>
  `${method} ${path} ${version}\r\n${['Host: x', ...headers].join('\r\n')}\r\n\r\n${body}`;

async function echo(connection) {
  const answer = await connection.answer();
  assert.equal(answer?.status, 200);
  return JSON.parse(answer.text);
}

async function withConnection(use, to = server) {
  const connection = await RawConnection.open(to.port);
  try {
    await use(connection);
  } finally {
    connection.close();
  }
}

for (const method of kBodyMethods) {
  test(`${method}: a body with its length, and the connection goes on`, () =>
    withConnection(async (connection) => {
      for (const body of ['first', 'x'.repeat(90000), '', 'last']) {
        connection.write(raw(method, '/a%20b?c=d', [`Content-Length: ${body.length}`], body));
        const seen = await echo(connection);
        assert.deepEqual(
          [seen.method, seen.path, seen.query, seen.length, seen.body],
          [method, '/a b', [['c', 'd']], body.length, body.slice(0, 1000)],
        );
      }
      connection.write(raw('GET', '/next'));
      assert.equal((await echo(connection)).path, '/next');
    }));

  test(`${method}: a body that comes in pieces`, () =>
    withConnection(async (connection) => {
      connection.write(raw(method, '/', ['Content-Length: 6', 'Expect: 100-continue']));
      const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
      await connection.read(
        (buffer) =>
          buffer.toString().startsWith(interim) ? { value: true, length: interim.length } : null,
        '100 Continue',
      );
      connection.write('abc');
      connection.write('def');
      assert.equal((await echo(connection)).body, 'abcdef');
      connection.write(raw('GET', '/next'));
      assert.equal((await echo(connection)).path, '/next');
    }));

  test(`${method}: a body that is too large`, () =>
    withConnection(async (connection) => {
      connection.write(raw(method, '/', ['Content-Length: 100001']));
      assert.equal((await connection.answer()).status, 413);
    }));
}

for (const method of ['POST', 'PUT', 'PATCH']) {
  test(`${method}: a chunked body ends the connection`, () =>
    withConnection(async (connection) => {
      const body = '3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n';
      connection.write(raw(method, '/', ['Transfer-Encoding: chunked'], body));
      const seen = await echo(connection);
      assert.deepEqual([seen.method, seen.body], [method, 'abcdefg']);
      await within(connection.closed, 'end of the connection');
    }));

  test(`${method}: no body and no length is an empty body`, () =>
    withConnection(async (connection) => {
      connection.write(raw(method, '/'));
      assert.equal((await echo(connection)).body, '');
      await within(connection.closed, 'end of the connection');
    }));
}

test('a chunked DELETE: a length is required', () =>
  withConnection(async (connection) => {
    connection.write(raw('DELETE', '/', ['Transfer-Encoding: chunked'], '1\r\na\r\n0\r\n\r\n'));
    assert.equal((await connection.answer()).status, 411);
    await within(connection.closed, 'end of the connection');
  }));

for (const method of ['GET', 'DELETE']) {
  test(`${method} without a body: several on one connection, also in one packet`, () =>
    withConnection(async (connection) => {
      connection.write(raw(method, '/1') + raw(method, '/2'));
      for (const path of ['/1', '/2']) {
        const seen = await echo(connection);
        assert.deepEqual([seen.method, seen.path, seen.body], [method, path, '']);
      }
      connection.write(raw(method, '/3'));
      assert.equal((await echo(connection)).path, '/3');
    }));
}

test('HTTP/1.0 hears nothing of 100 Continue', () =>
  withConnection(async (connection) => {
    const headers = ['Content-Length: 3', 'Expect: 100-continue'];
    connection.write(raw('PUT', '/', headers, '', 'HTTP/1.0'));
    connection.write('abc');
    const answer = await connection.answer();
    assert.deepEqual([answer.status, JSON.parse(answer.text).body], [200, 'abc']);
  }));

test('a status without a body, and what comes next', () =>
  withConnection(async (connection) => {
    for (const [status, phrase] of [
      [204, 'No Content'],
      [205, 'Reset Content'],
      [304, 'Not Modified'],
    ]) {
      connection.write(raw('PUT', `/?status=${status}`, ['Content-Length: 1'], 'a'));
      const answer = await connection.answer();
      assert.ok(answer.head.startsWith(`HTTP/1.1 ${status} ${phrase}\r\n`), answer.head);
      assert.equal(answer.text, '');
    }
    connection.write(raw('GET', '/?status=422'));
    assert.match((await connection.answer()).head, /^HTTP\/1\.1 422 Unprocessable Content\r\n/);
  }));

test('an answer is compressed only where the handler wants it', async () => {
  const answer = await get(server, `/${'x'.repeat(2000)}`, { 'Accept-Encoding': 'gzip' });
  assert.equal(answer.headers['content-encoding'], undefined);
  assert.equal(answer.json.path.length, 2001);
});

test('a preflight allows the methods of the handler', async () => {
  const answer = await request(server, 'OPTIONS', '/', { headers: { Origin: 'http://a' } });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers['access-control-allow-methods'], 'PUT, PATCH, DELETE');
});

test('headers: names in small letters, repeated ones joined, further ones by name', () =>
  withConnection(async (connection) => {
    connection.write(
      raw('GET', '/', [
        'COOKIE: a=1',
        'Cookie:b=2 \t',
        'Accept:  text/html',
        'X-Tenant: \t first \t',
        'x-tenant: second',
        'accept: text/plain',
        'Via:',
        'X-Other: not named',
        'Authorization: Bearer a:b',
        'User-Agent:',
        'X-Forwarded-For: 192.0.2.7',
        'X-REQUEST-ID:7',
      ]),
    );
    assert.deepEqual(Object.fromEntries((await echo(connection)).headers), {
      host: 'x',
      accept: 'text/html, text/plain',
      authorization: 'Bearer a:b',
      cookie: 'a=1; b=2',
      'user-agent': '',
      via: '',
      'x-forwarded-for': '192.0.2.7',
      'x-tenant': 'first',
      'x-request-id': '7',
    });
  }));

test('headers: no pseudo-header, method or version among them, and each name once', () =>
  withConnection(async (connection) => {
    const every =
      'Accept-Charset Accept-Encoding Accept-Language Cache-Control Date ETag From If-Match ' +
      'If-Modified-Since If-None-Match If-Range Link Pragma Range Referer TE X-Auth-Token X-Real-IP';
    const names = every.split(' ');
    connection.write(
      raw(
        'PATCH',
        '/?q=1',
        names.map((name) => `${name}: of ${name}`).concat('Content-Length: 0'),
      ),
    );
    const { headers } = await echo(connection);
    const expected = names.map((name) => [name.toLowerCase(), `of ${name}`]);
    expected.push(['host', 'x'], ['content-length', '0']);
    assert.deepEqual(headers.sort(), expected.sort());
  }));

test('headers: what no value may hold is refused', () =>
  withConnection(async (connection) => {
    connection.write(raw('GET', '/', ['Accept: a\0b', 'Referer: c']));
    assert.equal((await connection.answer()).status, 400);
  }));

test('headers are not kept unless asked for', async () => {
  const { json } = await get(plain, '/?a=b', { Cookie: 'a=1' });
  assert.deepEqual([json.headers, json.query], [[], [['a', 'b']]]);
});

for (const name of ['x-auth', 'X', 'Put-Off', 'get', 'uri-args']) {
  test(`http.headers does not take ${name}, which libwebsockets misreads`, async () => {
    const app = start(appPath('http_echo'), ['0', `http.headers=X-Tenant,${name}`]);
    const { code } = await within(app.exited, 'end of http_echo');
    assert.equal(code, 1);
    assert.match(app.output.stderr, new RegExp(`http\\.headers: '${name.toLowerCase()}'`));
  });
}

const kPolling = '/engine.io/?EIO=4&transport=polling';
const kSocket = '/engine.io/?EIO=4&transport=websocket';

async function pollingSession(to, extra, headers) {
  const opened = await get(to, kPolling + extra, headers);
  const path = `${kPolling}&sid=${JSON.parse(opened.text.slice(1)).sid}`;
  return {
    path,
    async ask() {
      await request(to, 'POST', path, { body: '4?', headers: { 'Content-Type': 'text/plain' } });
      return JSON.parse((await get(to, path)).text.slice(1));
    },
  };
}

async function ask(ws) {
  ws.send('4?');
  return JSON.parse((await ws.takeText()).slice(1));
}

test("a session on polling has its first request's headers and query", async () => {
  const session = await pollingSession(server, '&token=a%20b&token=c', { 'X-Tenant': 'seven' });
  const { headers, query } = await session.ask();
  const shown = Object.fromEntries(headers);
  assert.deepEqual([shown['x-tenant'], shown.host], ['seven', `127.0.0.1:${server.port}`]);
  assert.deepEqual(query, [
    ['EIO', '4'],
    ['transport', 'polling'],
    ['token', 'a b'],
    ['token', 'c'],
  ]);
});

test("a session on a WebSocket has its request's headers and query", async () => {
  const headers = { 'X-Tenant': 'eight', Cookie: 'c=d' };
  const ws = await RawWebSocket.open(server, { path: `${kSocket}&token=e`, headers });
  await ws.takeText();
  const seen = await ask(ws);
  const shown = Object.fromEntries(seen.headers);
  assert.deepEqual(
    [shown['x-tenant'], shown.cookie, shown.upgrade],
    ['eight', 'c=d', 'websocket'],
  );
  assert.deepEqual(seen.query.at(-1), ['token', 'e']);
  ws.close();
});

test('a session keeps its handshake when it moves to a WebSocket', async () => {
  const session = await pollingSession(server, '&token=f', { 'X-Tenant': 'nine' });
  const sid = new URL(session.path, 'http://x').searchParams.get('sid');
  const ws = await RawWebSocket.open(server, {
    path: `${kSocket}&sid=${sid}&token=g`,
    headers: { 'X-Tenant': 'ten' },
  });
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  ws.send('5');
  const seen = await ask(ws);
  assert.equal(Object.fromEntries(seen.headers)['x-tenant'], 'nine');
  assert.deepEqual(seen.query.at(-1), ['token', 'f']);
  ws.close();
});

test('a session has no handshake where headers are not kept', async () => {
  assert.equal(await (await pollingSession(plain, '&a=b', {})).ask(), null);
  const ws = await RawWebSocket.open(plain, { path: kSocket });
  await ws.takeText();
  assert.equal(await ask(ws), null);
  ws.close();
});
