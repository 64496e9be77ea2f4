// How a host parts with a client: what it says last is heard, in order, on both transports.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { io } from 'socket.io-client';
import { HostApp, kTell, script } from '../lib/host_app.mjs';
import { RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { within } from '../lib/wait.mjs';

const kFarewell = script(
  ['emit', '$socket', 'first', '[1]', null],
  ['emit', '$socket', 'last', '[2]', null],
  ['disconnect', '$socket', 1],
);

let host;
before(async () => {
  host = await HostApp.start(
    {},
    ['add_namespace', '/bye', null, kFarewell, kTell, null],
    ['add_namespace', '/', null, kTell, kTell, null],
    ['add_namespace', '/two', null, kTell, kTell, null],
    ['add_namespace', '/three', null, kTell, kTell, null],
  );
});
after(() => host?.stop());
beforeEach(() => host.forget());

// Connects to namespaces in this order; gives the ids of the sockets.
async function connectAll(ws, ...namespaces) {
  const ids = [];
  for (const nsp of namespaces) {
    ws.send(nsp === '/' ? '40' : `40${nsp},`);
    ids.push((await host.take('connected', { nsp })).socket);
    assert.ok((await ws.takeText()).includes(ids.at(-1)));
  }
  return ids;
}

async function rawSession() {
  const ws = await RawWebSocket.open(host);
  await ws.takeText();
  return ws;
}

const disconnections = async (count) => {
  const told = [];
  for (let i = 0; i < count; ++i) told.push(await host.take('disconnected'));
  return told.map(({ nsp, reason }) => [nsp, reason]);
};

for (const waiting of [true, false]) {
  const when = waiting ? 'that waits' : 'that comes later';
  test(`to a poll ${when}: the messages, then, in a poll of its own, the end`, async () => {
    const polling = await RawPolling.open(host);
    const early = waiting ? polling.poll() : null;
    await polling.post('40/bye,');
    const { socket } = await host.take('connected');
    await host.take('disconnected', { socket });
    const { text } = await (early ?? polling.poll());
    const messages = [
      `40/bye,{"sid":"${socket}"}`,
      '42/bye,["first",1]',
      '42/bye,["last",2]',
      '41/bye,',
    ];
    const heard = text.split('\x1e');
    // The poll that waits is answered with the first of them.
    if (waiting) heard.push(...(await polling.poll()).text.split('\x1e'));
    assert.deepEqual(heard, messages);
    assert.equal(await sessionLives(host, polling.sid), true, 'until the end was fetched');
    assert.equal((await polling.poll()).text, '1');
    assert.equal(await sessionLives(host, polling.sid), false);
    assert.equal((await polling.poll()).status, 400);
  });
}

for (const transports of [['polling'], ['websocket']]) {
  test(`the official client on ${transports} hears all, and who has ended it`, async () => {
    const socket = io(`${host.url}/bye`, { forceNew: true, reconnection: false, transports });
    const told = [];
    socket.on('connect', () => told.push('connect'));
    socket.onAny((event, number) => told.push([event, number]));
    socket.on('connect_error', (error) => told.push(error.message));
    const ended = new Promise((resolve) =>
      socket.on('disconnect', (reason) => resolve(told.push(reason))),
    );
    const closed = new Promise((resolve) => socket.io.engine.once('close', resolve));
    await within(ended, 'disconnect');
    await within(closed, 'end of the session');
    assert.deepEqual(told, ['connect', ['first', 1], ['last', 2], 'io server disconnect']);
    await host.take('disconnected', { nsp: '/bye' });
    socket.close();
  });
}

test('the sockets of a session are disconnected in the order in which they came', async () => {
  const ws = await rawSession();
  const [, , third] = await connectAll(ws, '/two', '/', '/three');
  await host.call('disconnect', third, 1);
  for (const packet of ['41/two,', '41', '41/three,']) assert.equal(await ws.takeText(), packet);
  assert.equal(await ws.closeCode(), 1000);
  const reason = 'server namespace disconnect';
  assert.deepEqual(await disconnections(3), [
    ['/two', reason],
    ['/', reason],
    ['/three', reason],
  ]);
});

test('also when the client goes', async () => {
  const ws = await rawSession();
  await connectAll(ws, '/three', '/two', '/');
  ws.close();
  const reason = 'transport close';
  assert.deepEqual(await disconnections(3), [
    ['/three', reason],
    ['/two', reason],
    ['/', reason],
  ]);
});
