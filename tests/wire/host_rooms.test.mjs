// The host beside the room application: who may create and enter rooms, and what the host tells
// their members.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { HostApp, kAccept, kTell, script } from '../lib/host_app.mjs';
import { get, post } from '../lib/http.mjs';
import { RawConnection } from '../lib/raw.mjs';
import { startRedis } from '../lib/redis.mjs';
import { eventually, within } from '../lib/wait.mjs';

const kLate = 'The server did not decide in time';

let redis;
let host;
before(async () => {
  redis = await startRedis();
  host = await HostApp.start(
    {
      'redis.url': redis.url,
      'signaling.enabled': true,
      'limits.join_enabled': false,
      'decision.timeout': 500,
      creating: kTell,
      joining: kTell,
      'http.headers': 'x-tenant',
    },
    ['add_namespace', '/', null, kTell, kTell, kTell],
    ['add_namespace', '/own', null, kTell, kTell, null],
    ['on', '/', 'mine', kTell],
  );
});
after(async () => {
  await host?.stop();
  await redis?.stop();
});
beforeEach(() => host.forget());

const connect = (...how) => host.connect(...how);
const bye = (...peers) => host.bye(...peers);

// Answers the next question of a kind; gives it.
async function decide(what, matches, refusal) {
  const asked = await host.take(what, matches);
  await (refusal === undefined
    ? host.call('accept', asked.ticket)
    : host.call('refuse', asked.ticket, refusal, null));
  return asked;
}

async function create(room = longRoom()) {
  const created = createRoom(host, room);
  await decide('creating', { room });
  await created;
  await host.take('room_created', { room });
  return room;
}

async function enter(peer, room) {
  const response = peer.join(room);
  await decide('joining', { room, socket: peer.id });
  assert.deepEqual(await response, joined(room));
  await host.take('joined', { room, socket: peer.id });
}

const kRead = {
  string: ['GET'],
  hash: ['HGETALL'],
  set: ['SMEMBERS'],
  zset: ['ZRANGE', 0, -1],
};

// The keys of Redis in which a text occurs, in their names or in what they hold.
async function traces(text) {
  const found = [];
  for (const key of await redis.command('KEYS', '*')) {
    const read = kRead[await redis.command('TYPE', key)];
    if (!read) continue; // gone meanwhile
    const value = await redis.command(read[0], key, ...read.slice(1));
    if (key.includes(text) || JSON.stringify(value).includes(text)) found.push(key);
  }
  return found;
}

test('a room is created when the host says so', async () => {
  const room = longRoom();
  const answer = post(
    host,
    '/api/create_room?plan=a%20b&plan',
    { roomId: room },
    { 'X-Tenant': 'acme', 'X-Other': 'no', Cookie: 'session=1' },
  );
  const asked = await host.take('creating');
  assert.deepEqual(
    { ...asked, ticket: 0, headers: [] },
    {
      what: 'creating',
      ticket: 0,
      room,
      socket: null,
      address: '127.0.0.1',
      data: 0,
      headers: [],
      query: [
        ['plan', 'a b'],
        ['plan', ''],
      ],
    },
  );
  const headers = Object.fromEntries(asked.headers);
  assert.deepEqual([headers['x-tenant'], headers.cookie], ['acme', 'session=1']);
  assert.equal(headers['x-other'], undefined);
  assert.deepEqual(await traces(room), []);
  await host.call('accept', asked.ticket);
  assert.equal((await answer).json.success, true);
  await host.take('room_created', { room });
  assert.notDeepEqual(await traces(room), []);
});

test('a refused room is not created, and its client hears why', async () => {
  const room = longRoom();
  const answer = post(host, '/api/create_room', { roomId: room });
  await decide('creating', { room }, 'not "today"');
  const { status, json } = await answer;
  assert.deepEqual([status, json], [200, { success: false, message: 'not "today"' }]);
  assert.deepEqual(await traces(room), []);
  assert.deepEqual(host.has('room_created'), []);
});

test('a room whose host says nothing is refused in time', async () => {
  const room = longRoom();
  const { json } = await post(host, '/api/create_room', { roomId: room });
  assert.deepEqual(json, { success: false, message: kLate });
  const { ticket } = await host.take('creating', { room });
  await host.call('accept', ticket);
  assert.equal((await get(host, '/health')).status, 200);
  assert.deepEqual(await traces(room), []);
});

test('a refused room of a random name is answered 403', async () => {
  const refused = get(host, '/api/get_room');
  await decide('creating', {}, 'closed');
  const { status, json } = await refused;
  assert.deepEqual([status, json], [403, { error: 'closed' }]);
  const accepted = get(host, '/api/get_room');
  const { room } = await decide('creating', {});
  assert.deepEqual((await accepted).json, { roomId: room });
});

test('a client that goes before its room is decided', async () => {
  const room = longRoom();
  const connection = await RawConnection.open(host.port);
  const body = JSON.stringify({ roomId: room });
  connection.write(
    'POST /api/create_room HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  const { ticket } = await host.take('creating', { room });
  connection.reset();
  await host.call('accept', ticket);
  await create(); // the host still serves
});

test('a socket enters a room when the host says so', async () => {
  const room = await create();
  const peer = await connect();
  await host.call('set_data', peer.id, 7);
  const response = peer.join(room);
  const asked = await host.take('joining');
  assert.deepEqual(
    { ...asked, ticket: 0 },
    {
      what: 'joining',
      ticket: 0,
      room,
      socket: peer.id,
      address: '127.0.0.1',
      data: 7,
      headers: [],
      query: [],
    },
  );
  assert.deepEqual(await traces(peer.id), []);
  await host.call('accept', asked.ticket);
  assert.deepEqual(await response, joined(room));
  await host.take('joined', { room, socket: peer.id });
  // Who is in it is not asked again.
  assert.equal((await peer.join(room)).success, true);
  assert.deepEqual(host.has('joining'), []);
  await bye(peer);
});

test('a refused socket hears why, and may try again', async () => {
  const room = await create();
  const peer = await connect();
  const refused = peer.join(room);
  await decide('joining', { room }, 'members only');
  assert.deepEqual(await refused, { success: false, message: 'members only', roomId: room });
  assert.equal((await host.take('refused', { room, socket: peer.id })).reason, 'members only');
  assert.deepEqual(await traces(peer.id), []);
  const late = peer.join(room);
  assert.equal((await late).message, kLate);
  const { ticket } = await host.take('joining', { room });
  await host.call('accept', ticket); // too late
  await enter(peer, room);
  await bye(peer);
});

test('joins that wait are decided one after the other', async () => {
  const [first, second] = [await create(), await create()];
  const peer = await connect();
  for (const room of [first, first, second, first]) peer.emit('join', { roomId: room });
  await decide('joining', { room: first }, 'no');
  for (let i = 0; i < 2; ++i) {
    assert.deepEqual(await peer.take('joinResponse'), {
      success: false,
      message: 'no',
      roomId: first,
    });
  }
  await decide('joining', { room: second });
  assert.deepEqual(await peer.take('joinResponse'), joined(second));
  const elsewhere = await peer.take('joinResponse');
  assert.deepEqual([elsewhere.success, elsewhere.roomId], [false, first]);
  assert.deepEqual(host.has('joining'), []);
  await bye(peer);
});

test('a socket that goes while the host decides leaves no trace', async () => {
  const room = await create();
  const peer = await connect();
  const { id } = peer;
  const before = (await redis.command('KEYS', '*')).sort();
  peer.emit('join', { roomId: room });
  const { ticket } = await host.take('joining', { socket: id });
  await bye(peer);
  await host.call('accept', ticket);
  const other = await connect();
  const { id: otherId } = other;
  await enter(other, room); // behind all that
  await bye(other);
  assert.deepEqual(await traces(id), []);
  assert.deepEqual(
    host.told.messages.filter((news) => news.socket === id && news.what !== 'refused'),
    [],
  );
  await eventually(async () => (await traces(otherId)).length === 0, 'other has left');
  assert.deepEqual((await redis.command('KEYS', '*')).sort(), before);
});

test('a room that does not exist can be refused without asking for it', async () => {
  const peer = await connect();
  const room = longRoom();
  const response = peer.join(room);
  await decide('joining', { room });
  assert.equal((await response).success, false);
  await host.take('refused', { room, socket: peer.id });
  await bye(peer);
});

test('the host speaks to the members of a room', async () => {
  const [room, another] = [await create(), await create()];
  const [a, b, c] = [await connect(), await connect(), await connect()];
  await enter(a, room);
  await enter(b, room);
  await a.take('ready');
  await enter(c, another);
  const tell = (except, event, args, attachments = null) =>
    host.call('broadcast_to_peers', room, except, event, args, attachments);
  await tell(null, 'all', '[{"_placeholder":true,"num":0}]', '0102');
  for (const peer of [a, b]) assert.deepEqual(await peer.take('all'), Buffer.from([1, 2]));
  await tell(a.id, 'but a', '["x"]');
  assert.equal(await b.take('but a'), 'x');
  await host.call('broadcast_to_peers', longRoom(), null, 'nowhere', '[]', null);
  // These rooms are not those of sbx_join.
  await host.call('broadcast', '/', room, null, 'other rooms', '[]', null);
  await host.call('join', c.id, room);
  await host.call('broadcast', '/', room, null, 'mine', '[]', null);
  assert.equal(await c.take('mine'), undefined);
  await tell(null, 'fence', '[]');
  for (const peer of [a, b]) {
    await peer.take('fence');
    peer.assertEmpty();
  }
  c.assertEmpty();
  await bye(a, b, c);
  await host.take('left', { room });
});

test('the application’s events do not reach the host, others do', async () => {
  const peer = await connect();
  peer.emit('offer', { peerId: 'x', offer: 1 });
  peer.emit('join', 'nonsense');
  peer.emit('mine', 1);
  peer.emit('other', 2);
  assert.equal((await host.take('event')).name, 'mine');
  assert.equal((await host.take('event')).name, 'other');
  for (const event of ['join', 'offer', 'answer', 'ice-candidate', 'initiator-online']) {
    const { code, text } = await host.attempt('on', '/', event, kTell);
    assert.equal(code, -1);
    assert.match(text, new RegExp(event));
  }
  await host.call('on', '/own', 'join', script(['emit', '$socket', 'joined-own', '$args', null]));
  const own = await connect('/own');
  own.emit('join', 'free');
  assert.equal(await own.take('joined-own'), 'free');
  await bye(peer, own);
});

test('without the application its events are free, and its rooms absent', async () => {
  const alone = await HostApp.start(
    { creating: kAccept, joining: kAccept },
    ['on', '/', 'join', script(['emit', '$socket', 'joinResponse', '["own"]', null])],
  );
  try {
    const peer = await Peer.connect(alone);
    assert.equal(await peer.join('x'), 'own');
    const { code, text } = await alone.attempt('broadcast_to_peers', 'x', null, 'e', '[]', null);
    assert.equal(code, -2);
    assert.match(text, /signaling\.enabled/);
    for (const path of ['/health', '/api/get_room']) {
      assert.equal((await get(alone, path)).status, 404);
    }
    assert.deepEqual(alone.has('creating'), []);
    await peer.close();
  } finally {
    await alone.stop();
  }
});

test('a disconnect by the host is a leaving', async () => {
  const room = await create();
  const [a, b] = [await connect(), await connect()];
  await enter(a, room);
  await enter(b, room);
  const { id } = b;
  await host.call('disconnect', id, 0);
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: id });
  await host.take('left', { room, socket: id });
  await within(b.closed, 'disconnect');
  await eventually(async () => (await traces(id)).length === 0, 'no trace of it');
  await bye(a);
});
