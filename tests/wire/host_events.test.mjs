// Events, acknowledgements, rooms and data of a host's namespaces.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Peer } from '../lib/clients.mjs';
import { HostApp, kTell, script, withHost } from '../lib/host_app.mjs';
import { RawWebSocket } from '../lib/raw.mjs';
import { within } from '../lib/wait.mjs';

const kGone = -8;
const kTimedOut = -7;
const kNobody = 'A'.repeat(20);
const kPlace = (num) => `{"_placeholder":true,"num":${num}}`;

let host;
before(async () => {
  host = await HostApp.start(
    {},
    ['add_namespace', '/', null, kTell, kTell, kTell],
    ['add_namespace', '/two', null, kTell, kTell, null],
    ['on', '/', 'told', kTell],
    ['on', '/', 'echo', script(['ack', '$socket', '$ack', '$args', null])],
    ['on', '/two', 'told', kTell],
  );
});
after(() => host?.stop());
beforeEach(() => host.forget());

const connect = (...how) => host.connect(...how);
const bye = (...peers) => host.bye(...peers);

// All arguments of the next `event`.
const heard = async (peer, event) =>
  (await peer.inbox.take((message) => message.event === event, `"${event}"`)).args;

const answered = (peer, event, ...args) =>
  within(
    new Promise((resolve) => peer.socket.emit(event, ...args, (...answer) => resolve(answer))),
    `acknowledgement of ${event}`,
  );

// Each of `peers` has got nothing but what was taken, up to now.
async function heardNothingElse(...peers) {
  for (const peer of peers) {
    await host.call('emit', peer.id, 'fence', '[]', null);
    await heard(peer, 'fence');
    peer.assertEmpty();
  }
}

test('an event comes with all that it carries', async () => {
  const peer = await connect();
  peer.emit('told', 'é\u2028"', { a: [1, null] }, Buffer.from([1, 2]), Buffer.from([]));
  const event = await host.take('event', { name: 'told' });
  assert.deepEqual(event, {
    what: 'event',
    nsp: '/',
    socket: peer.id,
    name: 'told',
    args: `["é\u2028\\"",{"a":[1,null]},${kPlace(0)},${kPlace(1)}]`,
    length: Buffer.byteLength(event.args),
    attachments: ['0102', ''],
    ack: 0,
    data: 0,
  });
  peer.emit('told');
  assert.equal((await host.take('event', { name: 'told' })).args, '[]');
  await bye(peer);
});

test('an event without handler goes to the one for all others, or to none', async () => {
  const peer = await connect();
  peer.emit('unknown', 1);
  assert.deepEqual((await host.take('event')).name, 'unknown');
  // In force once a later command of the host's has been carried out.
  const handle = async (handler) => {
    await host.call('on', '/', 'unknown', handler);
    await host.call('emit', peer.id, 'in force', '[]', null);
    await heard(peer, 'in force');
  };
  await handle(script(['emit', '$socket', 'mine', '$args', null]));
  peer.emit('unknown', 2);
  assert.deepEqual(await heard(peer, 'mine'), [2]);
  await handle(script(['emit', '$socket', 'anew', '$args', null]));
  peer.emit('unknown', 3);
  assert.deepEqual(await heard(peer, 'anew'), [3]);
  await handle(null);
  host.forget();
  peer.emit('unknown', 4);
  assert.equal((await host.take('event')).args, '[4]');
  await heardNothingElse(peer);

  const ignored = await connect('/two');
  ignored.emit('unknown');
  ignored.emit('told', 'behind it');
  assert.equal((await host.take('event', { nsp: '/two' })).name, 'told');
  await bye(peer, ignored);
});

// To a C program it would end there, and be another name.
test('an event with a NUL in its name never reaches the host', async () => {
  const peer = await connect();
  peer.emit('told\0', 1);
  peer.emit('told', 2);
  assert.equal((await host.take('event')).args, '[2]');
  await bye(peer);
});

test('handlers of events outlive a new declaration of their namespace', async () => {
  await host.call('on', '/three', 'kept', kTell); // declares it
  await host.call('add_namespace', '/three', null, kTell, kTell, null);
  const peer = await connect('/three');
  peer.emit('kept');
  await host.take('event', { nsp: '/three', name: 'kept' });
  await bye(peer);
});

test('an event can be acknowledged inside its handler', async () => {
  const peer = await connect();
  assert.deepEqual(await answered(peer, 'echo'), []);
  assert.deepEqual(await answered(peer, 'echo', 1, { two: [] }), [1, { two: [] }]);
  await bye(peer);
});

test('an event can be acknowledged later, with attachments, and only once', async () => {
  const peer = await connect();
  let answers = 0;
  const answer = new Promise((resolve) =>
    peer.socket.emit('told', 'x', (...args) => {
      ++answers;
      resolve(args);
    }),
  );
  const { ack } = await host.take('event');
  assert.notEqual(ack, 0);
  await host.call('ack', peer.id, ack, `[${kPlace(1)},"between",${kPlace(0)}]`, '00ff,');
  assert.deepEqual(await within(answer, 'acknowledgement'), [
    Buffer.from([]),
    'between',
    Buffer.from([0, 255]),
  ]);
  await host.call('ack', peer.id, ack, '["again"]', null);
  await host.call('ack', kNobody, ack, '["nobody"]', null);
  await heardNothingElse(peer);
  assert.equal(answers, 1);
  await bye(peer);
});

test('on other namespaces than the first, too', async () => {
  const peer = await connect('/two');
  const answer = answered(peer, 'told', 'x');
  const { ack } = await host.take('event', { nsp: '/two' });
  await host.call('ack', peer.id, ack, '[2]', null);
  assert.deepEqual(await answer, [2]);
  peer.socket.on('ask', (...args) => args.pop()('from two'));
  await host.call('emit_with_ack', peer.id, 'ask', '[]', null, 5000, 'two');
  assert.equal((await host.take('answer')).args, '["from two"]');
  await bye(peer);
});

test('what is emitted arrives as it was', async () => {
  const peer = await connect();
  await host.call('emit', peer.id, 'a"b\u2028', ' [ 1 , {"b":"\\u0000"} ] ', null);
  assert.deepEqual(await heard(peer, 'a"b\u2028'), [1, { b: '\u0000' }]);
  await host.call('emit', peer.id, 'none', null, null);
  assert.deepEqual(await heard(peer, 'none'), []);
  await host.call('emit', peer.id, 'binary', `[{"deep":[${kPlace(0)}]},${kPlace(1)}]`, 'c0ffee,00');
  assert.deepEqual(await heard(peer, 'binary'), [
    { deep: [Buffer.from('c0ffee', 'hex')] },
    Buffer.from([0]),
  ]);
  await host.call('emit', kNobody, 'dropped', '[]', null);
  await heardNothingElse(peer);
  await bye(peer);
});

test('a client answers what asks for an acknowledgement', async () => {
  const peer = await connect();
  peer.socket.on('ask', (...args) => args.pop()('yes', args, Buffer.from([7])));
  await host.call('emit_with_ack', peer.id, 'ask', `[1,${kPlace(0)}]`, '05', 5000, 'first');
  const answer = await host.take('answer');
  assert.deepEqual(
    { ...answer, args: JSON.parse(answer.args) },
    {
      what: 'answer',
      tag: 'first',
      status: 0,
      socket: peer.id,
      args: [
        'yes',
        [1, { _placeholder: true, num: 0 }],
        { _placeholder: true, num: 1 },
      ],
      length: Buffer.byteLength(answer.args),
      attachments: ['05', '07'],
    },
  );
  await bye(peer);
});

test('answers find their questions, also when many wait', async () => {
  const peer = await connect();
  const replies = [];
  peer.socket.on('ask', (number, reply) => replies.push([number, reply]));
  for (let i = 0; i < 20; ++i) {
    await host.call('emit_with_ack', peer.id, 'ask', `[${i}]`, null, 5000 - i, `question ${i}`);
  }
  await heardNothingElse(peer).catch(() => {}); // all questions are there
  for (const [number, reply] of replies.reverse()) reply(number);
  for (let i = 19; i >= 0; --i) {
    const { tag, args } = await host.take('answer');
    assert.deepEqual([tag, args], [`question ${i}`, `[${i}]`]);
  }
  await bye(peer);
});

test('an acknowledgement that does not come in time is told once', async () => {
  const peer = await connect();
  let late;
  peer.socket.on('ask', (reply) => (late = reply));
  await host.call('emit_with_ack', peer.id, 'ask', '[]', null, 60000, 'patient');
  await host.call('emit_with_ack', peer.id, 'ask', '[]', null, 30, 'hasty');
  const answer = await host.take('answer');
  assert.deepEqual(
    [answer.tag, answer.status, answer.args, answer.length, answer.socket],
    ['hasty', kTimedOut, '[]', 2, peer.id],
  );
  late('too late');
  peer.emit('told');
  await host.take('event');
  assert.deepEqual(host.has('answer'), []);
  await bye(peer);
  assert.equal((await host.take('answer')).tag, 'patient');
});

test('a socket that has gone, or goes, does not answer', async () => {
  const peer = await connect();
  const { id } = peer;
  await host.call('emit_with_ack', kNobody, 'ask', '[]', null, 5000, 'before');
  const before = await host.take('answer');
  assert.deepEqual([before.status, before.socket, before.args], [kGone, kNobody, '[]']);
  await host.call('emit_with_ack', id, 'ask', '[]', null, 5000, 'one');
  await host.call('emit_with_ack', id, 'ask', '[]', null, 60000, 'two');
  await heardNothingElse(peer).catch(() => {});
  await bye(peer);
  for (const tag of ['one', 'two']) {
    const answer = await host.take('answer', { tag });
    assert.deepEqual([answer.status, answer.socket], [kGone, id]);
  }
  assert.deepEqual(host.has('answer'), []);
});

test('an answer that nobody asked for is ignored', async () => {
  const ws = await RawWebSocket.connect(host);
  await host.call('emit_with_ack', ws.id, 'ask', '[]', null, 5000, 'asked');
  const [, id] = /^42(\d+)\["ask"\]$/.exec(await ws.takeText());
  const other = await RawWebSocket.connect(host);
  other.send(`43${id}["not mine"]`);
  other.send('42["told"]');
  await host.take('event', { socket: other.id });
  ws.send('43999["of nothing"]');
  ws.send('43["without id"]');
  assert.deepEqual(host.has('answer'), []);
  ws.send(`43${id}["mine"]`);
  assert.equal((await host.take('answer')).args, '["mine"]');
  ws.send(`43${id}["again"]`);
  ws.send('42["told"]');
  await host.take('event', { socket: ws.id });
  assert.deepEqual(host.has('answer'), []);
  for (const each of [ws, other]) {
    each.close();
    await host.take('disconnected', { socket: each.id });
  }
});

test('an engine that stops tells those who wait for an answer', () =>
  withHost({}, [['add_namespace', '/', null, kTell, kTell, null]], async (stopping) => {
    const peer = await Peer.connect(stopping);
    const { socket } = await stopping.take('connected');
    await stopping.call('set_data', socket, 3);
    await stopping.call('emit_with_ack', socket, 'ask', '[]', null, 60000, 'open');
    await stopping.call('stop');
    await stopping.take('stopped');
    const order = stopping.told.messages.map(({ what }) => what);
    assert.deepEqual(order, ['answer', 'disconnected', 'release']);
    const [answer, disconnected, release] = stopping.told.messages;
    assert.equal(answer.status, kGone);
    assert.deepEqual([disconnected.data, release.data], [3, 3]);
    assert.equal(disconnected.reason, 'server shutting down');
    await within(peer.closed, 'disconnect');
    for (const call of [
      ['emit', socket, 'late', '[]', null],
      ['emit_with_ack', socket, 'late', '[]', null, 10, 'late'],
      ['set_data', socket, 4],
      ['on', '/', 'late', kTell],
      ['mount', '/late', kTell],
      ['add_namespace', '/late', null, null, null, null],
    ]) {
      assert.equal((await stopping.attempt(...call)).code, -2, call[0]);
    }
  }));

test('commands of one thread keep their order', async () => {
  const peer = await connect();
  const count = 10_000;
  const numbers = [];
  const last = new Promise((resolve) =>
    peer.socket.on('number', (number) => {
      numbers.push(number);
      if (number === count - 1) resolve();
    }),
  );
  await host.call('emit_many', peer.id, 'number', count);
  await within(last, 'last number');
  assert.deepEqual(numbers, [...Array(count).keys()]);
  peer.inbox.messages.length = 0;
  await bye(peer);
});

test('calls inside a callback take effect after it', async () => {
  await host.call(
    'add_namespace',
    '/script',
    script(
      ['accept', '$ticket'],
      ['join', '$socket', 'room'],
      ['set_data', '$socket', 8],
      ['broadcast', '/script', 'room', null, 'entered', '["$socket"]', null],
    ),
    script(['disconnect', '$socket', 0]),
    script(['emit', '$socket', 'gone', '[]', null]),
    null,
  );
  const peer = await Peer.connect(host, { namespace: '/script' });
  assert.equal(await within(peer.closed, 'disconnect'), 'io server disconnect');
  assert.deepEqual(peer.inbox.messages, [{ event: 'entered', args: ['$socket'] }]);
  await host.take('release', { data: 8 });
  const order = host.told.messages.map(({ what }) => what);
  assert.deepEqual(order, ['connecting', 'connected', 'disconnected']);
  peer.socket.io.engine.close();
});

test('a broadcast reaches a namespace, or a room, but for one', async () => {
  const [a, b] = [await connect(), await connect()];
  const c = await connect('/', { transports: ['polling'] });
  const other = await connect('/two');
  const all = (peers, event, args = []) =>
    Promise.all(peers.map(async (peer) => assert.deepEqual(await heard(peer, event), args)));
  const broadcast = (room, except, event, args = '[]', attachments = null) =>
    host.call('broadcast', '/', room, except, event, args, attachments);

  await broadcast(null, null, 'all', `[${kPlace(0)}]`, 'ab');
  await all([a, b, c], 'all', [Buffer.from([0xab])]);
  await broadcast(null, b.id, 'but b');
  await all([a, c], 'but b');
  for (const peer of [a, b, other]) await host.call('join', peer.id, 'room');
  await host.call('join', b.id, 'room'); // again: nothing happens
  await broadcast('room', null, 'room');
  await all([a, b], 'room');
  await broadcast('room', a.id, 'room but a');
  await all([b], 'room but a');
  await broadcast('room', c.id, 'room but a stranger');
  await all([a, b], 'room but a stranger');
  await broadcast('nobody is here', null, 'empty room');
  await host.call('broadcast', '/two', 'room', null, 'other', '[]', null);
  await all([other], 'other');
  await host.call('broadcast', '/unknown', null, null, 'nowhere', '[]', null);

  await host.call('leave', b.id, 'room');
  await host.call('leave', b.id, 'room');
  await host.call('leave', c.id, 'never joined');
  await host.call('leave', kNobody, 'room');
  await host.call('join', kNobody, 'room');
  await broadcast('room', null, 'without b');
  await all([a], 'without b');
  await bye(a);
  await broadcast('room', null, 'without a');
  await host.call('join', c.id, 'room');
  await broadcast('room', null, 'only c');
  await all([c], 'only c');
  await heardNothingElse(b, c, other);
  await bye(b, c, other);
});

test('a socket can be in several rooms, and leaves all when it goes', async () => {
  const [a, b] = [await connect(), await connect()];
  for (const room of ['x', 'y', 'z']) {
    await host.call('join', a.id, room);
    await host.call('join', b.id, room);
  }
  await host.call('leave', a.id, 'y');
  for (const room of ['x', 'y', 'z']) {
    await host.call('broadcast', '/', room, b.id, room, '[]', null);
  }
  await heard(a, 'x');
  await heard(a, 'z');
  // Out of the namespace and in again on the same session: another socket, in no room.
  await host.call('disconnect', a.id, 0);
  await within(a.closed, 'disconnect');
  a.socket.connect();
  const again = await host.take('connected');
  for (const room of ['x', 'y', 'z']) {
    await host.call('broadcast', '/', room, null, room, '[]', null);
    await heard(b, room);
  }
  assert.equal(a.id, again.socket);
  await heardNothingElse(a, b);
  await bye(b);
  a.socket.close();
  await host.take('disconnected', { socket: again.socket });
});

// A client with a socket in each of two namespaces of one session.
async function twins() {
  const first = await connect();
  const second = new Peer(first.socket.io.socket('/two'));
  await within(second.connected, 'second namespace');
  await host.take('connected', { socket: second.id });
  return [first, second];
}

test('a socket can be taken out of its namespace alone', async () => {
  const [first, second] = await twins();
  const { id } = first;
  await host.call('disconnect', id, 0);
  assert.equal(await within(first.closed, 'disconnect'), 'io server disconnect');
  const gone = await host.take('disconnected', { socket: id });
  assert.equal(gone.reason, 'server namespace disconnect');
  await host.call('disconnect', id, 0); // is gone: nothing happens
  await heardNothingElse(second);
  await bye(second);
});

test('a socket can be ended with its whole session', async () => {
  const [first, second] = await twins();
  const ids = [first.id, second.id];
  const closed = new Promise((resolve) => first.socket.io.engine.once('close', resolve));
  await host.call('disconnect', second.id, 1);
  for (const peer of [first, second]) {
    assert.equal(await within(peer.closed, 'disconnect'), 'io server disconnect');
  }
  await within(closed, 'end of the session');
  for (const socket of ids) {
    const gone = await host.take('disconnected', { socket });
    assert.equal(gone.reason, 'server namespace disconnect');
  }
});

test('data is handed to callbacks and given back once', async () => {
  const peer = await connect();
  const { id } = peer;
  const told = async () => {
    peer.emit('told');
    return (await host.take('event')).data;
  };
  await host.call('set_data', id, 1);
  // Done when the loop comes to it, which may come to an event first.
  let data = 0;
  for (let i = 0; i < 100 && data !== 1; i++) data = await told();
  assert.equal(data, 1);
  assert.deepEqual(host.has('release'), []);
  await host.call('set_data', id, 2);
  assert.equal((await host.take('release')).data, 1);
  assert.equal(await told(), 2);
  await host.call('set_data', id, 0);
  assert.equal((await host.take('release')).data, 2);
  assert.equal(await told(), 0);
  await host.call('set_data', id, 3);
  await host.take('release', { data: 0 });
  await host.call('set_data', kNobody, 4);
  assert.equal((await host.take('release')).data, 4);
  await peer.close();
  await host.take('release', { data: 3 });
  assert.deepEqual(
    host.told.messages.map(({ what, data }) => [what, data]),
    [['disconnected', 3]],
  );
  await host.call('set_data', id, 5);
  assert.equal((await host.take('release')).data, 5);
});

test('sockets do not share their data', async () => {
  const [first, second] = await twins();
  await host.call('set_data', first.id, 1);
  second.emit('told');
  assert.equal((await host.take('event')).data, 0);
  const { id } = first;
  await first.close();
  assert.equal((await host.take('disconnected', { socket: id })).data, 1);
  await host.take('release', { data: 1 });
  await bye(second);
  assert.deepEqual(host.has('release'), []);
});

test('the host hears why a client has gone', async () => {
  const peer = await connect();
  const { id } = peer;
  peer.reset();
  assert.match(
    (await host.take('disconnected', { socket: id })).reason,
    /^transport (close|error)$/,
  );
});
