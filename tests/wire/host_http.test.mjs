// Paths of the host's on the same port.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { HostApp, kTell, script, withHost } from '../lib/host_app.mjs';
import { get, post, request } from '../lib/http.mjs';
import { RawConnection } from '../lib/raw.mjs';

const kOrigin = 'https://shop.example';
const kMaxBody = 2000;
const answer = (text, ...headers) => script(['respond', '$ticket', 200, text, ...headers]);

let host;
before(async () => {
  host = await HostApp.start(
    {
      'decision.timeout': 400,
      'http.max_body': kMaxBody,
      'http.headers': 'x-asked',
      'cors.origins': kOrigin,
    },
    ['add_namespace', '/', null, null, null, null],
    ['mount', '/app', answer('app')],
    ['mount', '/app/deep', answer('deep')],
    ['mount', '/ask', kTell],
  );
});
after(() => host?.stop());
beforeEach(() => host.forget());

test('the longest prefix counts, and only whole parts of a path', async () => {
  for (const [path, text] of [
    ['/app', 'app'],
    ['/app/', 'app'],
    ['/app?x=/app/deep', 'app'],
    ['/app/dee', 'app'],
    ['/app/deeper', 'app'],
    ['/app/deep', 'deep'],
    ['/app/deep/', 'deep'],
    ['/app/deep/er', 'deep'],
    ['/app/d%65ep', 'deep'],
  ]) {
    assert.equal((await get(host, path)).text, text, path);
  }
  for (const path of ['/', '/apple', '/ap', '/APP', '/other/app']) {
    const { status, json } = await get(host, path);
    assert.deepEqual([status, json], [404, { error: 'Not found' }], path);
  }
});

test('a request comes with all that it carries, and is answered later', async () => {
  const body = Buffer.from('\u0000\u00ff "text"', 'latin1');
  const reply = request(host, 'POST', '/ask/a%20b/c?x=1&y=%C3%A9+&x=&flag', {
    body,
    headers: {
      'Content-Length': body.length,
      'Content-Type': 'application/x-own',
      'X-Asked': 'yes',
      'X-Unasked': 'no',
    },
  });
  const asked = await host.take('http', { path: '/ask/a b/c' });
  assert.deepEqual(
    { ...asked, ticket: 0, headers: [] },
    {
      what: 'http',
      ticket: 0,
      method: 'POST',
      path: '/ask/a b/c',
      address: '127.0.0.1',
      headers: [],
      query: [
        ['x', '1'],
        ['y', 'é '],
        ['x', ''],
        ['flag', ''],
      ],
      body: body.toString('hex'),
    },
  );
  const headers = Object.fromEntries(asked.headers);
  assert.equal(headers['x-asked'], 'yes');
  assert.equal(headers['content-type'], 'application/x-own');
  assert.equal(headers['x-unasked'], undefined);
  await host.call(
    'respond',
    asked.ticket,
    201,
    'möglich',
    'Content-Type',
    'text/plain; charset=utf-8',
    'X-Own',
    'a, b',
    'Set-Cookie',
    'a=1',
    'Set-Cookie',
    'b=2',
  );
  const got = await reply;
  assert.deepEqual([got.status, got.text], [201, 'möglich']);
  assert.equal(got.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(got.headers['content-length'], String(Buffer.byteLength('möglich')));
  assert.equal(got.headers['x-own'], 'a, b');
  assert.deepEqual(got.headers['set-cookie'], ['a=1', 'b=2']);
  // A second answer is ignored; so is one to a ticket that never was.
  await host.call('respond', asked.ticket, 500, 'again');
  await host.call('respond', 987654321, 500, 'nobody');
  await host.call('accept', asked.ticket);
  assert.equal((await get(host, '/app')).text, 'app');
});

for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD']) {
  test(`${method} reaches the host`, async () => {
    const body = ['PUT', 'PATCH'].includes(method) ? 'body' : undefined;
    const headers = body ? { 'Content-Length': body.length } : {};
    const reply = request(host, method, '/ask', { body, headers });
    const asked = await host.take('http', { path: '/ask' });
    assert.deepEqual(
      [asked.method, asked.body],
      [method, Buffer.from(body ?? '').toString('hex')],
    );
    await host.call('respond', asked.ticket, 200, 'answer');
    const got = await reply;
    assert.equal(got.headers['content-length'], '6');
    assert.equal(got.headers['content-type'], undefined);
    assert.equal(got.text, method === 'HEAD' ? '' : 'answer');
  });
}

test('an empty answer, and a status that has no body', async () => {
  for (const [status, body] of [
    [200, null],
    [204, 'dropped'],
    [304, 'dropped'],
    [599, 'kept'],
  ]) {
    const reply = get(host, '/ask');
    await host.call('respond', (await host.take('http', { path: '/ask' })).ticket, status, body);
    const got = await reply;
    assert.deepEqual([got.status, got.text], [status, status === 599 ? 'kept' : '']);
  }
});

test('who gets no answer hears 504, and a later one is ignored', async () => {
  const begun = Date.now();
  const { status, json } = await get(host, '/ask');
  assert.deepEqual([status, json], [504, { error: 'The server did not answer in time' }]);
  assert.ok(Date.now() - begun >= 300, 'the host had its time');
  const { ticket } = await host.take('http', { path: '/ask' });
  await host.call('respond', ticket, 200, 'late');
});

test('the answer to a client that has gone is ignored', async () => {
  const connection = await RawConnection.open(host.port);
  connection.write('GET /ask HTTP/1.1\r\nHost: a\r\n\r\n');
  const { ticket } = await host.take('http', { path: '/ask' });
  connection.reset();
  await host.call('respond', ticket, 200, 'x');
  assert.equal((await get(host, '/app')).text, 'app');
});

test('the connection is kept, also after a late answer', async () => {
  const connection = await RawConnection.open(host.port);
  for (let i = 0; i < 3; ++i) {
    connection.write('GET /ask HTTP/1.1\r\nHost: a\r\n\r\n');
    const { ticket } = await host.take('http', { path: '/ask' });
    await host.call('respond', ticket, 200, `answer ${i}`);
    assert.equal((await connection.answer()).text, `answer ${i}`);
    connection.write('GET /app HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal((await connection.answer()).text, 'app');
  }
  connection.close();
});

test('two requests are answered in whatever order', async () => {
  const [first, second] = [get(host, '/ask/1'), get(host, '/ask/2')];
  const tickets = [
    (await host.take('http', { path: '/ask/1' })).ticket,
    (await host.take('http', { path: '/ask/2' })).ticket,
  ];
  await host.call('respond', tickets[1], 200, 'two');
  assert.equal((await second).text, 'two');
  await host.call('respond', tickets[0], 200, 'one');
  assert.equal((await first).text, 'one');
});

test('a body that is too large never reaches the host', async () => {
  const { status } = await post(host, '/ask', 'x'.repeat(kMaxBody + 1));
  assert.equal(status, 413);
  assert.deepEqual(host.has('http').filter(({ path }) => path === '/ask'), []);
  const reply = post(host, '/ask', 'x'.repeat(kMaxBody));
  const asked = await host.take('http', { path: '/ask' });
  assert.equal(asked.body.length, 2 * kMaxBody);
  await host.call('respond', asked.ticket, 200, 'ok');
  assert.equal((await reply).text, 'ok');
});

test('preflights and CORS headers are the library’s', async () => {
  const preflight = await request(host, 'OPTIONS', '/ask', {
    headers: { Origin: kOrigin, 'Access-Control-Request-Method': 'PUT' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], kOrigin);
  assert.match(preflight.headers['access-control-allow-methods'], /PUT/);
  assert.deepEqual(host.has('http').filter(({ path }) => path === '/ask'), []);
  for (const [origin, allowed] of [
    [kOrigin, kOrigin],
    ['https://other.example', undefined],
  ]) {
    const { headers } = await get(host, '/app', { Origin: origin });
    assert.equal(headers['access-control-allow-origin'], allowed);
  }
});

for (const [name, value] of [
  ['Content-Length', '1'],
  ['connection', 'close'],
  ['Transfer-Encoding', 'chunked'],
  ['Upgrade', 'x'],
  ['Keep-Alive', '1'],
  ['Access-Control-Allow-Origin', '*'],
  ['', 'empty'],
  ['a b', 'x'],
  ['a:', 'x'],
  ['naïve', 'x'],
  ['X-Split', 'a\rSet-Cookie: b'],
  ['X-Delete', 'a\u007f'],
]) {
  test(`the header ${JSON.stringify(`${name}: ${value}`)} cannot be set`, async () => {
    const reply = get(host, '/ask');
    const { ticket } = await host.take('http', { path: '/ask' });
    const { code, text } = await host.attempt('respond', ticket, 200, 'x', name, value);
    assert.equal(code, -1);
    assert.ok(text.includes(name) && text.includes('header'), text);
    // Nothing has been answered.
    await host.call('respond', ticket, 200, 'proper');
    assert.equal((await reply).text, 'proper');
  });
}

test('mounts come, change and go while the engine serves', async () => {
  const path = '/changing';
  assert.equal((await get(host, path)).status, 404);
  await host.call('mount', path, answer('first'));
  assert.equal((await get(host, path)).text, 'first');
  await host.call('mount', path, answer('second'));
  assert.equal((await get(host, path)).text, 'second');
  await host.call('mount', path, null);
  await host.call('mount', path, null);
  assert.equal((await get(host, path)).status, 404);
  // A shorter prefix takes over what a longer one gave up.
  await host.call('mount', '/app/deep/est', answer('deepest'));
  assert.equal((await get(host, '/app/deep/est')).text, 'deepest');
  await host.call('mount', '/app/deep/est', null);
  assert.equal((await get(host, '/app/deep/est')).text, 'deep');
});

test('a mount below socketio.path goes before it, one at or above it does not', async () => {
  const client = '/socket.io/socket.io.js';
  const handshake = '/socket.io/?EIO=4&transport=polling';
  for (const path of ['/', '/socket.io']) await host.call('mount', path, answer('above'));
  assert.equal((await get(host, client)).status, 400);
  await host.call('mount', client, answer('client'));
  assert.equal((await get(host, client)).text, 'client');
  assert.equal((await get(host, `${client}.map`)).status, 400);
  assert.match((await get(host, handshake)).text, /^0\{"sid":/);
  for (const path of ['/', '/socket.io', client]) await host.call('mount', path, null);
  assert.equal((await get(host, client)).status, 400);
});

test('a mount that is taken away still owes its answers', async () => {
  await host.call('mount', '/leaving', kTell);
  const reply = get(host, '/leaving');
  const { ticket } = await host.take('http', { path: '/leaving' });
  await host.call('mount', '/leaving', null);
  await host.call('respond', ticket, 200, 'goodbye');
  assert.equal((await reply).text, 'goodbye');
});

test('"/" takes what nobody else takes', () =>
  withHost(
    {},
    [
      ['add_namespace', '/', null, null, null, null],
      ['mount', '/', answer('root')],
      ['mount', '/app', answer('app')],
    ],
    async (rooted) => {
      assert.equal((await get(rooted, '/')).text, 'root');
      assert.equal((await get(rooted, '/any/thing')).text, 'root');
      assert.equal((await get(rooted, '/app')).text, 'app');
      assert.equal((await get(rooted, '/apple')).text, 'root');
      assert.match((await get(rooted, '/socket.io/?EIO=4&transport=polling')).text, /^0\{/);
    },
  ));

test('an engine that stops lets its host answer the requests that wait', () =>
  withHost({ 'shutdown.timeout': 60_000 }, [['mount', '/ask', kTell]], async (stopping) => {
    const first = get(stopping, '/ask/1');
    const { ticket } = await stopping.take('http', { path: '/ask/1' });
    const second = await RawConnection.open(stopping.port);
    second.write('GET /ask/2 HTTP/1.1\r\nHost: a\r\n\r\n');
    const { ticket: left } = await stopping.take('http', { path: '/ask/2' });
    const kept = await RawConnection.open(stopping.port); // is told that it is too late
    const ask = async (connection) => {
      connection.write('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
      return (await connection.answer()).status;
    };
    assert.equal(await ask(kept), 404);
    const witness = await RawConnection.open(stopping.port); // sees when the stop is heeded
    assert.equal(await ask(witness), 404);
    await stopping.call('stop');
    let status = 404;
    while (status === 404) status = await ask(witness);
    assert.equal(status, 503);
    kept.write('GET /ask/3 HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal((await kept.answer()).status, 503);
    await new Promise((resolve) => setTimeout(resolve, 100)); // it goes on waiting
    assert.deepEqual(stopping.told.messages, []);
    await stopping.call('respond', ticket, 201, 'better late');
    const answer = await first;
    assert.deepEqual([answer.status, answer.text], [201, 'better late']);
    await stopping.call('respond', left, 200, '');
    await stopping.take('stopped'); // long before its time
    assert.deepEqual(stopping.told.messages, []);
    assert.equal((await stopping.attempt('respond', left, 200, 'late')).code, -2);
  }));

// The connections may be closed before they have taken what was answered last.
test('also the last of them', async () => {
  for (let i = 0; i < 10; ++i) {
    await withHost({ 'shutdown.timeout': 60_000 }, [['mount', '/ask', kTell]], async (stopping) => {
      const reply = get(stopping, '/ask');
      const { ticket } = await stopping.take('http');
      await stopping.call('stop');
      await new Promise((resolve) => setTimeout(resolve, 20 + i));
      await stopping.call('respond', ticket, 200, 'the last');
      const [{ text }] = await Promise.all([reply, stopping.take('stopped')]);
      assert.equal(text, 'the last');
    });
  }
});

test('and answers 503 for it at the end of its time', () =>
  withHost({ 'shutdown.timeout': 300 }, [['mount', '/ask', kTell]], async (stopping) => {
    const connection = await RawConnection.open(stopping.port);
    connection.write('GET /ask HTTP/1.1\r\nHost: a\r\n\r\n');
    const { ticket } = await stopping.take('http');
    const begun = Date.now();
    await stopping.call('stop');
    const { status, head, text } = await connection.answer();
    assert.ok(Date.now() - begun >= 250, 'the host had its time');
    assert.deepEqual([status, JSON.parse(text)], [503, { error: 'The server is shutting down' }]);
    assert.match(head, /\r\nConnection: close/i);
    await stopping.take('abandoned', { ticket });
    await stopping.take('stopped');
    await connection.closed;
    assert.equal((await stopping.attempt('respond', ticket, 200, 'late')).code, -2);
  }));

// To a C program it would end there, and be another one.
for (const query of ['kept=1&token=admin%00x', 'kept=1&a%00=2', 'kept=1&%00']) {
  test(`no parameter with a NUL in it is shown to the host: ${query}`, async () => {
    const connection = await RawConnection.open(host.port);
    connection.write(`GET /app?${query} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await connection.answer(); // or the end: libwebsockets refuses such a request
    for (const asked of host.has('http')) assert.deepEqual(asked.query, [['kept', '1']]);
    connection.close();
  });
}

test('a large answer arrives whole', async () => {
  const text = 'é'.repeat(400_000);
  const reply = get(host, '/ask');
  await host.call('respond', (await host.take('http', { path: '/ask' })).ticket, 200, text);
  assert.equal((await reply).text, text);
});

// To a C program it would end there, and be another path.
test('a path with a NUL in it never reaches the host', async () => {
  assert.equal((await get(host, '/app/%00x')).status, 400);
});
