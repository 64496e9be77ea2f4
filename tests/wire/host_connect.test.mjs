// Who is let in: the host decides about each connection, now, later or never.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { io } from 'socket.io-client';
import { Peer } from '../lib/clients.mjs';
import { asking, HostApp, kAccept, kTell, script, withHost } from '../lib/host_app.mjs';
import { RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';

const kDecisionTimeout = 600;
let host;
before(async () => {
  host = await HostApp.start(
    { 'decision.timeout': kDecisionTimeout, 'http.headers': 'x-tenant,x-other' },
    asking('/'),
    asking('/two'),
    asking('/yes', kAccept),
    asking('/no', script(['refuse', '$ticket', 'not "you"', '{ "code": [401, null] }'])),
    ['add_namespace', '/open', null, kTell, kTell, null],
  );
});
after(() => host?.stop());
beforeEach(() => host.forget());

const bye = (...peers) => host.bye(...peers);

// A client that is under way, and what it is told if it is not let in.
function dial(namespace, options = {}) {
  const socket = io(host.url + namespace, {
    forceNew: true,
    reconnection: false,
    transports: ['websocket'],
    ...options,
  });
  const connected = new Promise((resolve) => socket.once('connect', resolve));
  const refused = new Promise((resolve) => socket.once('connect_error', resolve));
  return {
    socket,
    connected: () => within(connected, `connection to ${namespace}`),
    refused: () => within(refused, `refusal by ${namespace}`),
  };
}

const header = (request, name) =>
  request.headers.filter(([each]) => each === name).map(([, value]) => value);

async function rawSession() {
  const ws = await RawWebSocket.open(host);
  ws.sid = JSON.parse((await ws.takeText()).slice(1)).sid;
  return ws;
}

test('a connection can be accepted inside the question', async () => {
  const peer = await Peer.connect(host, { namespace: '/yes', auth: { token: 'é\n"' } });
  const asked = await host.take('connecting', { nsp: '/yes' });
  assert.equal(asked.socket, peer.id);
  assert.match(asked.socket, /^[\w-]{20}$/);
  assert.deepEqual(JSON.parse(asked.auth), { token: 'é\n"' });
  assert.equal(asked.address, '127.0.0.1');
  const connected = await host.take('connected', { socket: peer.id });
  assert.deepEqual(connected, {
    what: 'connected',
    nsp: '/yes',
    socket: peer.id,
    address: '127.0.0.1',
    reason: null,
    data: 0,
  });
  const gone = await bye(peer);
  assert.equal(gone.reason, 'client namespace disconnect');
});

test('without handler everybody is let in', async () => {
  const peer = await Peer.connect(host, { namespace: '/open' });
  await host.take('connected', { socket: peer.id });
  assert.deepEqual(host.has('connecting'), []);
  await bye(peer);
});

test('a connection can be accepted later, by another thread', async () => {
  const client = dial('/');
  const asked = await host.take('connecting', { nsp: '/' });
  assert.equal(asked.auth, '{}');
  assert.deepEqual(host.has('connected'), []);
  assert.equal(client.socket.connected, false);
  await host.call('accept', asked.ticket);
  await client.connected();
  assert.equal(client.socket.id, asked.socket);
  await host.take('connected', { socket: asked.socket });
  // The answer was given: these change nothing.
  await host.call('refuse', asked.ticket, 'late', null);
  await host.call('accept', asked.ticket);
  await host.call('accept', 999999);
  await host.call('disconnect', asked.socket, 0);
  await host.take('disconnected', { socket: asked.socket });
  assert.deepEqual(host.has('connected'), []);
  client.socket.close();
});

test('a client sees why it is refused, and the data', async () => {
  const client = dial('/no');
  const error = await client.refused();
  assert.equal(error.message, 'not "you"');
  assert.deepEqual(error.data, { code: [401, null] });
  const asked = await host.take('connecting', { nsp: '/no' });
  await host.call('accept', asked.ticket); // too late
  client.socket.close();
});

test('a refusal without data has none', async () => {
  const client = dial('/');
  const { ticket } = await host.take('connecting');
  await host.call('refuse', ticket, '', null);
  const error = await client.refused();
  assert.deepEqual([error.message, error.data], ['', undefined]);
  client.socket.close();
});

test('who gets no answer is refused in time', async () => {
  const begun = Date.now();
  const client = dial('/');
  const { ticket, socket } = await host.take('connecting');
  const error = await client.refused();
  assert.equal(error.message, 'The server did not decide in time');
  assert.ok(Date.now() - begun >= kDecisionTimeout - 100, 'it had its time');
  await host.call('accept', ticket);
  await host.call('disconnect', socket, 0);
  assert.deepEqual(host.has('connected'), []);
  client.socket.close();
});

test('a refused client may ask again on the same session', async () => {
  const ws = await rawSession();
  ws.send('40/two,{"try":1}');
  const first = await host.take('connecting', { nsp: '/two' });
  await host.call('refuse', first.ticket, 'once more', 'null');
  assert.equal(await ws.takeText(), '44/two,{"message":"once more","data":null}');
  ws.send('40/two,{"try":2}');
  const second = await host.take('connecting', { nsp: '/two' });
  assert.notEqual(second.ticket, first.ticket);
  assert.notEqual(second.socket, first.socket);
  assert.equal(second.auth, '{"try":2}');
  await host.call('accept', second.ticket);
  assert.equal(await ws.takeText(), `40/two,{"sid":"${second.socket}"}`);
  await host.take('connected', { socket: second.socket });
  ws.close();
  const gone = await host.take('disconnected', { socket: second.socket });
  assert.equal(gone.reason, 'transport close');
});

test('two namespaces of one session are decided apart', async () => {
  const ws = await rawSession();
  ws.send('40/yes,');
  ws.send('40');
  const open = await host.take('connecting', { nsp: '/yes' });
  const asked = await host.take('connecting', { nsp: '/' });
  assert.equal(await ws.takeText(), `40/yes,{"sid":"${open.socket}"}`);
  ws.send('42/yes,["while","the other waits"]');
  await host.call('refuse', asked.ticket, 'no', null);
  assert.equal(await ws.takeText(), '44{"message":"no"}');
  ws.send('40');
  const again = await host.take('connecting', { nsp: '/' });
  await host.call('accept', again.ticket);
  assert.equal(await ws.takeText(), `40{"sid":"${again.socket}"}`);
  // One of them leaves; the other stays.
  ws.send('41/yes,');
  assert.equal(
    (await host.take('disconnected', { socket: open.socket })).reason,
    'client namespace disconnect',
  );
  await host.call('emit', again.socket, 'still', '[]', null);
  assert.equal(await ws.takeText(), '42["still"]');
  ws.close();
  await host.take('disconnected', { socket: again.socket });
});

test('a client can take its question back', async () => {
  const ws = await rawSession();
  ws.send('40/two,');
  const first = await host.take('connecting', { nsp: '/two' });
  ws.send('41/two,');
  ws.send('40/two,');
  const second = await host.take('connecting', { nsp: '/two' });
  await host.call('accept', first.ticket); // nothing happens
  await host.call('accept', second.ticket);
  assert.equal(await ws.takeText(), `40/two,{"sid":"${second.socket}"}`);
  assert.equal((await host.take('connected')).socket, second.socket);
  ws.close();
  await host.take('disconnected', { socket: second.socket });
  assert.deepEqual(host.has('connected'), []);
});

test('the answer to a client that has gone is ignored', async () => {
  const ws = await rawSession();
  ws.send('40');
  const { ticket } = await host.take('connecting');
  ws.connection.reset();
  await eventually(async () => !(await sessionLives(host, ws.sid)), 'end of the session');
  await host.call('accept', ticket);
  const other = await Peer.connect(host, { namespace: '/yes' });
  assert.equal((await host.take('connected')).socket, other.id);
  await bye(other);
});

test('a second CONNECT while the first waits is no second question', async () => {
  const ws = await rawSession();
  ws.send('40');
  const { ticket, socket } = await host.take('connecting');
  ws.send('40');
  ws.send('40/no,'); // behind it
  await host.take('connecting', { nsp: '/no' });
  assert.match(await ws.takeText(), /^44\/no,/);
  assert.deepEqual(host.has('connecting'), []);
  await host.call('accept', ticket);
  assert.equal(await ws.takeText(), `40{"sid":"${socket}"}`);
  await host.take('connected', { socket });
  // Once it is in, it is an error.
  ws.send('40');
  await ws.closeCode();
  await host.take('disconnected', { socket });
});

test('an event before the answer ends the session', async () => {
  const ws = await rawSession();
  ws.send('40');
  await host.take('connecting');
  ws.send('42["early"]');
  await ws.closeCode();
  assert.equal(await sessionLives(host, ws.sid), false);
});

test('the question shows headers and query of a WebSocket', async () => {
  const peer = await Peer.connect(host, {
    namespace: '/yes',
    query: { 'a b': 'c&d=é', twice: '' },
    extraHeaders: {
      'X-Tenant': 'acme',
      'X-Unnamed': 'no',
      Cookie: 'a=1; b=2',
      Authorization: 'me',
    },
  });
  const asked = await host.take('connecting', { nsp: '/yes' });
  assert.deepEqual(header(asked, 'x-tenant'), ['acme']);
  assert.deepEqual(header(asked, 'x-other'), []);
  assert.deepEqual(header(asked, 'x-unnamed'), []);
  assert.deepEqual(header(asked, 'cookie'), ['a=1; b=2']);
  assert.deepEqual(header(asked, 'authorization'), ['me']);
  assert.deepEqual(header(asked, 'host'), [`127.0.0.1:${host.port}`]);
  const query = Object.fromEntries(asked.query);
  assert.deepEqual(
    [query['a b'], query.twice, query.EIO, query.transport],
    ['c&d=é', '', '4', 'websocket'],
  );
  await bye(peer);
});

test('after an upgrade the question shows the request that opened the session', async () => {
  const peer = await Peer.connect(host, {
    namespace: '/yes',
    transports: ['polling', 'websocket'],
    query: { tenant: 'acme' },
    extraHeaders: { 'X-Tenant': 'first' },
  });
  await host.take('connecting', { nsp: '/yes' });
  if (peer.transport !== 'websocket') {
    await within(
      new Promise((resolve) => peer.socket.io.engine.once('upgrade', resolve)),
      'upgrade',
    );
  }
  peer.socket.io.socket('/two'); // connects by itself
  const asked = await host.take('connecting', { nsp: '/two' });
  assert.deepEqual(header(asked, 'x-tenant'), ['first']);
  const query = Object.fromEntries(asked.query);
  assert.deepEqual([query.transport, query.tenant, 'sid' in query], ['polling', 'acme', false]);
  await host.call('accept', asked.ticket);
  await host.take('connected', { socket: asked.socket });
  const sockets = [peer.id, asked.socket];
  peer.socket.io.engine.close();
  for (const socket of sockets) await host.take('disconnected', { socket });
});

test('a question over polling is answered by a poll', async () => {
  const polling = await RawPolling.open(host, { 'X-Other': 'polled' });
  const poll = polling.poll();
  await polling.post('40/two,{"over":"polling"}');
  const asked = await host.take('connecting', { nsp: '/two' });
  assert.deepEqual(header(asked, 'x-other'), ['polled']);
  assert.equal(asked.auth, '{"over":"polling"}');
  await host.call('accept', asked.ticket);
  assert.equal((await poll).text, `40/two,{"sid":"${asked.socket}"}`);
  await polling.post('1');
  await host.take('disconnected', { socket: asked.socket });
});

test('data attached before the answer reaches the first callback', async () => {
  const ws = await rawSession();
  ws.send('40');
  const { ticket, socket } = await host.take('connecting');
  await host.call('set_data', socket, 1);
  await host.call('set_data', socket, 2);
  assert.equal((await host.take('release')).data, 1);
  await host.call('accept', ticket);
  assert.equal((await host.take('connected', { socket })).data, 2);
  assert.deepEqual(host.has('release'), []);
  ws.close();
  assert.equal((await host.take('disconnected', { socket })).data, 2);
  assert.equal((await host.take('release')).data, 2);
  assert.deepEqual(host.told.messages, []);
});

test('also inside the question', () =>
  withHost(
    {},
    [asking('/', script(['set_data', '$socket', 5], ['accept', '$ticket']))],
    async (other) => {
      const peer = await Peer.connect(other);
      assert.equal((await other.take('connected', { socket: peer.id })).data, 5);
      await peer.close();
      await other.take('disconnected', { data: 5 });
      assert.equal((await other.take('release')).data, 5);
    },
  ));

for (const [what, end] of Object.entries({
  'is refused': ({ ticket }) => host.call('refuse', ticket, 'no', null),
  'takes its question back': (_, ws) => ws.send('41'),
  'asks again with other auth': (_, ws) => ws.send('40{"again":true}'),
  'goes away': (_, ws) => ws.connection.reset(),
  'waits for too long': () => {},
})) {
  test(`data of a client that ${what} is given back`, async () => {
    const ws = await rawSession();
    ws.send('40');
    const asked = await host.take('connecting');
    await host.call('set_data', asked.socket, 3);
    assert.deepEqual(host.has('release'), []);
    await end(asked, ws);
    assert.equal((await host.take('release')).data, 3);
    // There is no such socket now.
    await host.call('set_data', asked.socket, 4);
    assert.equal((await host.take('release')).data, 4);
    assert.deepEqual([...host.has('release'), ...host.has('connected')], []);
    ws.close();
  });
}

test('namespaces are declared, and declared anew, while serving', async () => {
  const error = await dial('/new').refused();
  assert.equal(error.message, 'Invalid namespace');
  await host.call('add_namespace', '/new', null, kTell, null, null);
  const first = await Peer.connect(host, { namespace: '/new' });
  await host.take('connected', { socket: first.id });
  await host.call(...asking('/new'));
  const client = dial('/new');
  const asked = await host.take('connecting', { nsp: '/new' });
  await host.call('accept', asked.ticket);
  await client.connected();
  await host.take('connected', { socket: asked.socket });
  // Of the first, too, the end is told by the new handlers.
  await bye(first);
  client.socket.close();
  await host.take('disconnected', { socket: asked.socket });
});

test('an engine that stops lets go of those who wait', () =>
  withHost({}, [asking('/')], async (stopping) => {
    const ws = await RawWebSocket.open(stopping);
    ws.send('40');
    const { ticket } = await stopping.take('connecting');
    const closed = ws.closeCode();
    await stopping.call('stop');
    await stopping.take('stopped');
    assert.equal(await closed, 1000);
    const late = await stopping.attempt('accept', ticket);
    assert.equal(late.code, -2);
    assert.deepEqual(stopping.has('connected'), []);
  }));

for (const auth of ['[1]', '"text"', 'null']) {
  test(`auth that is ${auth} never reaches the host`, async () => {
    const ws = await rawSession();
    ws.send(`40${auth}`);
    await ws.closeCode();
    assert.deepEqual(host.has('connecting'), []);
  });
}
