// Questions that nobody waits for any more: the host is told once that a ticket is void, whatever
// kind it is of, and its answer changes nothing.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createRoom, joined, longRoom } from '../lib/clients.mjs';
import { asking, HostApp, kAccept, kTell, script, withHost } from '../lib/host_app.mjs';
import { get } from '../lib/http.mjs';
import { RawConnection, RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { startRedis } from '../lib/redis.mjs';
import { eventually } from '../lib/wait.mjs';

const kDecisionTimeout = 700;
let redis;
let host; // is patient
let hasty; // is not
before(async () => {
  redis = await startRedis();
  const setup = [asking('/'), asking('/two'), asking('/yes', kAccept), ['mount', '/ask', kTell]];
  const options = {
    'redis.url': redis.url,
    'signaling.enabled': true,
    'limits.join_enabled': false,
    'limits.packet_count': 0,
    'decision.timeout': 60_000,
    creating: kTell,
    joining: kTell,
  };
  host = await HostApp.start(options, ...setup);
  hasty = await HostApp.start({ ...options, 'decision.timeout': kDecisionTimeout }, ...setup);
});
after(async () => {
  await host?.stop();
  await hasty?.stop();
  await redis?.stop();
});
beforeEach(() => {
  host.forget();
  hasty.forget();
});

async function rawSession(server = host) {
  const ws = await RawWebSocket.open(server);
  ws.sid = JSON.parse((await ws.takeText()).slice(1)).sid;
  return ws;
}

// A socket in "/" of a client over WebSocket.
async function connect(server = host) {
  const ws = await rawSession(server);
  ws.send('40');
  const { ticket, socket } = await server.take('connecting', { nsp: '/' });
  await server.call('accept', ticket);
  assert.equal(await ws.takeText(), `40{"sid":"${socket}"}`);
  await server.take('connected', { socket });
  ws.id = socket;
  return ws;
}

// Answers of every kind to a ticket that is void, and then one that is seen: nothing else was told.
async function answerInVain(server, ticket) {
  await server.call('accept', ticket);
  await server.call('refuse', ticket, 'late', null);
  await server.call('respond', ticket, 200, 'late');
  server.forget();
  const ws = await rawSession(server);
  ws.send('40/yes,');
  const { socket } = await server.take('connected', { nsp: '/yes' });
  ws.close();
  await server.take('disconnected', { socket });
  const others = server.told.messages.filter((news) => news.nsp !== '/yes');
  assert.deepEqual(others, []);
}

async function createdRoom(server = host) {
  const room = longRoom();
  const created = createRoom(server, room);
  await server.call('accept', (await server.take('creating', { room })).ticket);
  await created;
  return room;
}

// The connection over which a room is asked for.
async function requestRoom(server, room) {
  const connection = await RawConnection.open(server.port);
  const body = JSON.stringify({ roomId: room });
  connection.write(
    'POST /api/create_room?from=me HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  return connection;
}

// The host is told that an HTTP client has gone; others keep asking meanwhile.
async function departure(ticket) {
  const told = host.take('abandoned', { ticket });
  const seen = told.then(() => true);
  await eventually(
    () => Promise.race([seen, get(host, '/health').then(() => false)]),
    'departure of the client',
  );
}

test('DISCONNECT takes a question back', async () => {
  const ws = await rawSession();
  ws.send('40');
  const { ticket } = await host.take('connecting');
  assert.deepEqual(host.has('abandoned'), []);
  ws.send('41');
  await host.take('abandoned', { ticket });
  await answerInVain(host, ticket);
  // The session goes on.
  ws.send('40/yes,');
  assert.match(await ws.takeText(), /^40\/yes,/);
  ws.close();
});

for (const [way, go] of Object.entries({
  'closes its WebSocket': (ws) => ws.sendFrame({ opcode: 8 }),
  'resets its connection': (ws) => ws.connection.reset(),
  'says nonsense': (ws) => ws.send('4x'),
  'sends an event too early': (ws) => ws.send('42["early"]'),
})) {
  test(`who ${way} takes the questions of all namespaces back`, async () => {
    const ws = await rawSession();
    ws.send('40');
    ws.send('40/two,');
    const { ticket } = await host.take('connecting', { nsp: '/' });
    const { ticket: second } = await host.take('connecting', { nsp: '/two' });
    go(ws);
    await host.take('abandoned', { ticket });
    await host.take('abandoned', { ticket: second });
    assert.equal(await sessionLives(host, ws.sid), false);
    await answerInVain(host, ticket);
    ws.close();
  });
}

test('who closes a polling session takes its question back', async () => {
  const polling = await RawPolling.open(host);
  await polling.post('40');
  const { ticket } = await host.take('connecting');
  await polling.post('1');
  await host.take('abandoned', { ticket });
  await answerInVain(host, ticket);
});

test('who asks again with another auth means that, and not the first', async () => {
  const ws = await rawSession();
  ws.send('40{"try":1}');
  const first = await host.take('connecting', { auth: '{"try":1}' });
  ws.send('40{"try":1}'); // is no other question
  ws.send('40{"try":2}');
  const second = await host.take('connecting', { auth: '{"try":2}' });
  await host.take('abandoned', { ticket: first.ticket });
  assert.notEqual(second.socket, first.socket);
  assert.deepEqual(host.has('connecting'), []);
  // Its answer is ignored, be it no or yes.
  await host.call('refuse', first.ticket, 'first', null);
  await host.call('accept', first.ticket);
  await host.call('accept', second.ticket);
  assert.equal(await ws.takeText(), `40{"sid":"${second.socket}"}`);
  await host.take('connected', { socket: second.socket });
  ws.close();
  await host.take('disconnected', { socket: second.socket });
  assert.deepEqual(host.told.messages, []);
});

test('a question that was not decided in time is abandoned', async () => {
  const ws = await rawSession(hasty);
  ws.send('40');
  const { ticket } = await hasty.take('connecting');
  assert.equal(await ws.takeText(), '44{"message":"The server did not decide in time"}');
  await hasty.take('abandoned', { ticket });
  await answerInVain(hasty, ticket);
  ws.close();
});

test('questions that were answered are not abandoned', async () => {
  const ws = await connect();
  ws.send('40/two,');
  const { ticket } = await host.take('connecting', { nsp: '/two' });
  await host.call('refuse', ticket, 'no', null);
  assert.equal(await ws.takeText(), '44/two,{"message":"no"}');
  const room = longRoom();
  const connection = await requestRoom(host, room);
  await host.call('refuse', (await host.take('creating', { room })).ticket, 'no', null);
  await connection.answer();
  connection.write('GET /ask HTTP/1.1\r\nHost: a\r\n\r\n');
  await host.call('respond', (await host.take('http')).ticket, 200, 'yes');
  await connection.answer();
  const { id } = ws;
  ws.send('42["join",{"roomId":"nowhere"}]');
  await host.call('refuse', (await host.take('joining')).ticket, 'no', null);
  await ws.takeText();
  connection.reset();
  ws.close();
  await host.take('disconnected', { socket: id });
  await answerInVain(host, ticket);
});

test('nor are those whose time would be up only then', async () => {
  const ws = await rawSession(hasty);
  ws.send('40');
  const asked = await hasty.take('connecting');
  await hasty.call('accept', asked.ticket);
  await hasty.take('connected', { socket: asked.socket });
  ws.send('40/two,');
  const { ticket } = await hasty.take('connecting', { nsp: '/two' });
  // Its time is up behind that of the first.
  assert.equal((await hasty.take('abandoned')).ticket, ticket);
  ws.close();
});

test('a socket that leaves before it may enter a room leaves no trace', async () => {
  const room = await createdRoom();
  const ws = await connect();
  const keys = (await redis.command('KEYS', '*')).sort();
  ws.send(`42["join",{"roomId":"${room}"}]`);
  ws.send('42["join",{"roomId":"another"}]'); // waits behind it, and is never asked
  const { ticket } = await host.take('joining', { room });
  host.forget();
  ws.send('41');
  await host.take('disconnected', { socket: ws.id });
  await host.take('abandoned', { ticket });
  await answerInVain(host, ticket);
  assert.deepEqual((await redis.command('KEYS', '*')).sort(), keys);
  ws.close();
});

test('a socket that is not let into a room in time', async () => {
  const ws = await connect(hasty);
  ws.send('42["join",{"roomId":"some"}]');
  const { ticket } = await hasty.take('joining');
  await hasty.take('abandoned', { ticket });
  assert.match(await ws.takeText(), /joinResponse.*did not decide in time/);
  // It may try again, and this question is another.
  const room = await createdRoom(hasty);
  ws.send(`42["join",{"roomId":"${room}"}]`);
  const again = await hasty.take('joining', { room });
  await hasty.call('accept', again.ticket);
  assert.equal(await ws.takeText(), `42${JSON.stringify(['joinResponse', joined(room)])}`);
  ws.close();
  await hasty.take('disconnected', { socket: ws.id });
  assert.deepEqual(hasty.has('abandoned'), []);
});

test('a client that goes before its room is decided', async () => {
  const room = longRoom();
  const connection = await requestRoom(host, room);
  const { ticket } = await host.take('creating', { room });
  connection.reset();
  await departure(ticket);
  await answerInVain(host, ticket);
  assert.deepEqual(await redis.command('KEYS', `*${room}*`), []);
});

test('a room that is not decided in time', async () => {
  const room = longRoom();
  const connection = await requestRoom(hasty, room);
  const { ticket } = await hasty.take('creating', { room });
  assert.match((await connection.answer()).text, /did not decide in time/);
  await hasty.take('abandoned', { ticket });
  connection.close();
  await answerInVain(hasty, ticket);
});

test('a request to the host whose client goes', async () => {
  const connection = await RawConnection.open(host.port);
  connection.write('GET /ask HTTP/1.1\r\nHost: a\r\n\r\n');
  const { ticket } = await host.take('http');
  connection.reset();
  await departure(ticket);
  await answerInVain(host, ticket);
});

// libwebsockets looks after what is to be closed later only when something else happens.
test('is noticed, though nothing else happens', () =>
  withHost({}, [['mount', '/ask', kTell]], async (idle) => {
    const connection = await RawConnection.open(idle.port);
    connection.write('GET /ask HTTP/1.1\r\nHost: a\r\n\r\n');
    const { ticket } = await idle.take('http');
    connection.reset();
    await idle.take('abandoned', { ticket });
  }),
);

test('a request to the host that is not answered in time', async () => {
  const { status } = await get(hasty, '/ask');
  assert.equal(status, 504);
  const { ticket } = await hasty.take('http');
  await hasty.take('abandoned', { ticket });
  await answerInVain(hasty, ticket);
});

test('a storm of questions that are taken back leaves none behind', async () => {
  const kPairs = 10_000;
  const ws = await rawSession();
  const asked = [];
  for (let sent = 0; sent < kPairs; sent += 500) {
    for (let i = 0; i < 500; ++i) {
      ws.send('40/two,');
      ws.send('41/two,');
    }
    for (let i = 0; i < 500; ++i) {
      const { ticket } = await host.take('connecting');
      await host.take('abandoned', { ticket });
      asked.push(ticket);
    }
  }
  assert.equal(new Set(asked).size, kPairs);
  assert.deepEqual(host.told.messages, []);
  ws.send('40/two,');
  const { ticket, socket } = await host.take('connecting');
  await host.call('accept', ticket);
  assert.equal(await ws.takeText(), `40/two,{"sid":"${socket}"}`);
  ws.close();
  await host.take('disconnected', { socket });
});

test('with other auth each time, too, one question is left', async () => {
  const kTimes = 2000;
  const ws = await rawSession();
  for (let i = 0; i < kTimes; ++i) ws.send(`40{"n":${i}}`);
  const asked = [];
  for (let i = 0; i < kTimes; ++i) asked.push((await host.take('connecting')).ticket);
  for (const ticket of asked.slice(0, -1)) await host.take('abandoned', { ticket });
  assert.deepEqual(host.told.messages, []);
  ws.close();
  await host.take('abandoned', { ticket: asked.at(-1) });
});

test('an engine that stops abandons every question, before its end', () =>
  withHost(
    {
      'redis.url': redis.url,
      'signaling.enabled': true,
      'shutdown.timeout': 300,
      creating: kTell,
      joining: kTell,
    },
    [asking('/two'), ['add_namespace', '/', null, kTell, kTell, null], ['mount', '/ask', kTell]],
    async (stopping) => {
      const ws = await rawSession(stopping);
      ws.send('40');
      const { socket } = await stopping.take('connected');
      ws.send('42["join",{"roomId":"some"}]');
      ws.send('40/two,');
      const room = await requestRoom(stopping, longRoom());
      const request = await RawConnection.open(stopping.port);
      request.write('GET /ask HTTP/1.1\r\nHost: a\r\n\r\n');
      const tickets = [];
      for (const what of ['connecting', 'joining', 'creating', 'http']) {
        tickets.push((await stopping.take(what)).ticket);
      }
      assert.deepEqual(stopping.has('abandoned'), []);
      await stopping.call('stop');
      for (const ticket of tickets) await stopping.take('abandoned', { ticket });
      await stopping.take('disconnected', { socket });
      await eventually(() => stopping.has('stopped').length === 1, 'end of the engine');
      // What is left was told behind all these.
      assert.deepEqual(
        stopping.told.messages.map(({ what }) => what),
        ['stopped'],
      );
      await room.closed;
      await request.closed;
    },
  ));

test('inside the question its answer may be called, and the engine stopped', () =>
  withHost({}, [asking('/', script(['accept', '$ticket'], ['stop']))], async (stopping) => {
    const ws = await rawSession(stopping);
    ws.send('40');
    const { socket } = await stopping.take('connected');
    assert.equal(await ws.closeCode(), 1000);
    await stopping.take('disconnected', { socket });
    await stopping.take('stopped');
    assert.deepEqual(stopping.has('abandoned'), []);
  }));
