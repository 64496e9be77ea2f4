// The programs of capi/examples, each run and talked to by socket.io-client.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { createRoom, longRoom, Peer } from '../lib/clients.mjs';
import { kHostd } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { removeDirectory, start, temporaryDirectory } from '../lib/process.mjs';
import { startRedis } from '../lib/redis.mjs';
import { within } from '../lib/wait.mjs';

const kPrograms = path.resolve(path.dirname(kHostd), '../capi');

// Runs an example until it has told its port, then `use` with { url, port, child }, and ends it by a
// signal, which it must take as a request. When `use` has ended it already, `signal` is null.
async function withExample(name, args, use, { signal = 'SIGTERM', ...settings } = {}) {
  const child = start(path.join(kPrograms, name), args, settings);
  const listening = new Promise((resolve, reject) => {
    child.stdout.on('data', () => {
      const match = /^listening on port (\d+)$/m.exec(child.output.stdout);
      if (match) resolve(Number(match[1]));
    });
    child.exited.then(() => reject(new Error(`${name}: ${child.output.stderr}`)), reject);
  });
  const detail = () => child.output.stderr;
  const port = await within(listening, `port of ${name}`, { detail });
  try {
    await use({ url: `http://127.0.0.1:${port}`, port, child });
  } finally {
    if (signal) child.kill(signal);
    const end = await within(child.exited, `end of ${name}`, { detail });
    assert.deepEqual(end, { code: 0, signal: null }, child.output.stderr);
  }
}

async function withRedis(use) {
  const redis = await startRedis();
  try {
    await use(redis);
  } finally {
    await redis.stop();
  }
}

// The arguments of the next event of that name.
const heard = async (peer, event) =>
  (await peer.inbox.take((message) => message.event === event, `"${event}"`)).args;

// What a client is told that is not let in.
async function refusal(server, options) {
  const socket = io(server.url, { forceNew: true, reconnection: false, ...options });
  const told = new Promise((resolve, reject) => {
    socket.once('connect_error', resolve);
    socket.once('connect', () => reject(new Error('connected')));
  });
  return within(told, 'refusal').finally(() => socket.close());
}

test('embed is the room application', () =>
  withRedis((redis) =>
    withExample(
      'embed',
      [redis.url, '0'],
      async (server) => {
        assert.equal((await get(server, '/health')).status, 200);
        const room = longRoom();
        await createRoom(server, room);
        const peer = await Peer.connect(server);
        assert.equal((await peer.join(room)).success, true);
        await peer.close();
      },
      { signal: 'SIGINT' },
    ),
  ));

test('embed takes a second signal as a request, too', () =>
  withRedis((redis) =>
    withExample('embed', [redis.url, '0'], async ({ child, url }) => {
      await Peer.connect({ url });
      child.kill('SIGTERM');
    }),
  ));

test('embed says why it cannot start', async () => {
  const child = start(path.join(kPrograms, 'embed'), ['redis://127.0.0.1', 'many']);
  assert.equal((await within(child.exited, 'end of embed')).code, 1);
  assert.match(child.output.stderr, /listen\.port/);
});

test('embed_uv serves beside a timer of the same loop', () =>
  withExample('embed_uv', ['0'], async (server) => {
    const peer = await Peer.connect(server);
    const [first] = await heard(peer, 'tick');
    assert.deepEqual(await heard(peer, 'tick'), [first + 1]);
    await peer.close();
  }));

test('embed_uv closes its loop also while a client is connected', () =>
  withExample('embed_uv', ['0'], async (server) => {
    await heard(await Peer.connect(server), 'tick');
  }));

test('embed_poll waits for clients and for its standard input', () =>
  withExample(
    'embed_poll',
    ['0'],
    async (server) => {
      const peers = await Promise.all([
        Peer.connect(server),
        Peer.connect(server, { transports: ['polling'] }),
      ]);
      for (const line of ['hello "you"\n', 'again\n']) {
        server.child.stdin.write(line);
        for (const peer of peers) assert.equal(String(await heard(peer, 'typed')), line);
      }
      server.child.stdin.end();
      await within(Promise.all(peers.map((peer) => peer.closed)), 'disconnect');
    },
    { stdin: 'pipe', signal: null },
  ));

test('embed_poll ends by a signal while it waits', () =>
  withExample('embed_poll', ['0'], async (server) => Peer.connect(server), { stdin: 'pipe' }));

test('chat: what one says, the others of the room hear', () =>
  withExample('chat', ['0'], async (server) => {
    const enter = (nickname, room) => Peer.connect(server, { auth: { nickname, room } });
    const ada = await enter('ada', 'tea');
    const eve = await enter('eve', 'coffee');
    const bob = await enter('b"ob', 'tea');
    assert.deepEqual(await heard(ada, 'entered'), ['b"ob']);

    const say = (peer, text) => within(peer.socket.emitWithAck('say', text), 'acknowledgement');
    assert.equal(await say(bob, 'hello "ada"'), 'sent');
    assert.deepEqual(await heard(ada, 'said'), ['b"ob', 'hello "ada"']);
    assert.equal(await say(ada, { no: 'text' }), 'not a text');
    ada.emit('say', 'no answer is wanted');
    assert.deepEqual(await heard(bob, 'said'), ['ada', 'no answer is wanted']);

    await bob.close();
    assert.deepEqual(await heard(ada, 'left'), ['b"ob']);
    // Acknowledged behind all that came before: nobody hears himself, or another room.
    for (const peer of [ada, eve]) {
      await say(peer, 'fence');
      assert.deepEqual(peer.inbox.messages, []);
      await peer.close();
    }
  }));

test('chat: nobody gets in without nickname and room', () =>
  withExample('chat', ['0'], async (server) => {
    for (const auth of [undefined, { nickname: 'ada' }, { nickname: '', room: 'tea' }]) {
      const error = await refusal(server, { auth });
      assert.equal(error.message, 'a nickname and a room are needed');
    }
  }));

test('room_gate lets into the rooms that its database lists', () =>
  withRedis((redis) => {
    const directory = temporaryDirectory();
    const database = path.join(directory, 'rooms.db');
    const script = `import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute("CREATE TABLE open_rooms (room TEXT PRIMARY KEY)")
    database.execute("INSERT INTO open_rooms VALUES ('open-room')")`;
    execFileSync('/usr/bin/python3', ['-c', script, database]);
    return withExample('room_gate', [redis.url, '0', database], async (server) => {
      for (const room of ['open-room', 'closed-room']) await createRoom(server, room);
      const peer = await Peer.connect(server);
      const refused = await peer.join('closed-room');
      assert.deepEqual([refused.success, refused.message], [false, 'This room is closed']);
      assert.equal((await peer.join('open-room')).success, true);
      await peer.close();
    }).finally(() => removeDirectory(directory));
  }));

for (const namespace of ['/', '/custom']) {
  for (const transport of ['polling', 'websocket']) {
    test(`protocol_app on ${namespace} over ${transport}`, () =>
      withExample('protocol_app', ['0'], async (server) => {
        const options = { namespace, transports: [transport] };
        const peer = await Peer.connect(server, { ...options, auth: { token: 'é' } });
        assert.deepEqual(await heard(peer, 'auth'), [{ token: 'é' }]);

        const args = [1, 'two', { three: [false] }, Buffer.from([4, 5]), null];
        peer.emit('message', ...args);
        assert.deepEqual(await heard(peer, 'message-back'), args);
        const answer = new Promise((resolve) => {
          peer.socket.emit('message-with-ack', ...args, (...back) => resolve(back));
        });
        assert.deepEqual(await within(answer, 'acknowledgement'), args);
        await peer.close();

        const nobody = await Peer.connect(server, options);
        assert.deepEqual(await heard(nobody, 'auth'), [{}]);
        await nobody.close();
      }));
  }
}

test('protocol_app has the timings that conformance suites expect', () =>
  withExample(
    'protocol_app',
    ['0'],
    async (server) => {
      const { text } = await get(server, '/socket.io/?EIO=4&transport=polling');
      const { pingInterval, pingTimeout, maxPayload } = JSON.parse(text.slice(1));
      assert.deepEqual([pingInterval, pingTimeout, maxPayload], [300, 200, 1000000]);
    },
    { signal: 'SIGINT' },
  ));
