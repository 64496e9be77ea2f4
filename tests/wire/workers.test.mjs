// Several engines on one port: whatever connection a request comes by, the session it names gets it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, meet, Peer } from '../lib/clients.mjs';
import { runHostd, startHostd, startServer } from '../lib/hostd.mjs';
import { get, post } from '../lib/http.mjs';
import {
  RawConnection,
  RawPolling,
  RawWebSocket,
  sessionLives,
  upgradeRequest,
} from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';

const kWorkers = 4;

let server;
before(async () => {
  server = await startServer({ workers: kWorkers });
});
after(() => server.stop());

// The worker that has a session.
const workerOf = ({ sid }) => sid[0];

// Sessions on polling, each with its socket, one of each worker.
async function oneOfEach(at = server) {
  const found = new Map();
  for (let i = 0; i < 100 && found.size < kWorkers; i++) {
    const polling = await RawPolling.connect(at);
    if (!found.has(workerOf(polling))) found.set(workerOf(polling), polling);
  }
  assert.equal(found.size, kWorkers, 'every worker has sessions');
  return [...found.values()];
}

const getText = (path, headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
const postText = (path, body) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

// One request on a connection that stays.
async function ask(connection, text) {
  connection.write(text);
  return connection.answer();
}

const join = (roomId) => `42${JSON.stringify(['join', { roomId }])}`;
const joinedText = (roomId) => `42${JSON.stringify(['joinResponse', joined(roomId)])}`;

const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

test('sessions are spread over the workers, and requests on fresh connections reach them', async () => {
  const sessions = [];
  for (let i = 0; i < 3 * kWorkers; i++) {
    const polling = await RawPolling.connect(server);
    sessions.push(polling);
    const roomId = longRoom();
    await createRoom(server, roomId);
    for (let round = 0; round < 3; round++) {
      assert.equal((await polling.post(join(roomId))).text, 'ok');
      assert.equal(await polling.take(), joinedText(roomId));
    }
  }
  const counts = new Map();
  for (const each of sessions) counts.set(workerOf(each), (counts.get(workerOf(each)) ?? 0) + 1);
  assert.deepEqual([...counts.values()], Array(kWorkers).fill(3));
  await Promise.all(sessions.map((each) => each.post('1')));
});

test('one connection that is kept alive serves sessions of all workers', async () => {
  const sessions = await oneOfEach();
  const roomId = longRoom();
  await createRoom(server, roomId);
  const connection = await RawConnection.open(server.port);
  for (let round = 0; round < 3; round++) {
    for (const { path } of sessions) {
      const { status, text } = await ask(connection, postText(path, join(longRoom())));
      assert.deepEqual([status, text], [200, 'ok']);
    }
    for (const { path } of sessions) {
      const { text } = await ask(connection, getText(path));
      assert.match(text, /joinResponse.*Room does not exist/);
    }
  }
  connection.close();
});

test('answers to pipelined polls of two workers keep their order', async () => {
  const [first, second] = await oneOfEach();
  const connection = await RawConnection.open(server.port);
  await ask(connection, postText(first.path, join('nowhere-1')));
  await ask(connection, postText(second.path, join('nowhere-2')));
  connection.write(getText(second.path) + getText(first.path));
  assert.match((await connection.answer()).text, /nowhere-2/);
  assert.match((await connection.answer()).text, /nowhere-1/);
  connection.close();
});

test('a poll that came by another worker waits until there is something, and has its headers', async () => {
  const [mine, other] = await oneOfEach();
  const connection = await RawConnection.open(server.port);
  await ask(connection, postText(mine.path, '3'));
  connection.write(getText(other.path, 'Origin: http://a\r\n'));
  const answer = connection.answer();
  assert.equal((await other.post(join('nowhere'))).status, 200);
  const { status, head, text } = await answer;
  assert.equal(status, 200);
  assert.match(text, /nowhere/);
  assert.match(head, /\r\naccess-control-allow-origin: http:\/\/a/i);
  assert.match(head, /\r\ncache-control: no-store/i);
  connection.close();
});

test('a client that leaves a poll that was passed on ends its session', async () => {
  const [mine, other] = await oneOfEach();
  const connection = await RawConnection.open(server.port);
  await ask(connection, postText(mine.path, '3'));
  connection.write(getText(other.path));
  // The poll has come: a second one, which it excludes, would end the session; a post does not.
  assert.equal((await other.post('3')).status, 200);
  connection.close();
  await eventually(async () => !(await sessionLives(server, other.sid)), 'end of the session');
  assert.ok(await sessionLives(server, mine.sid));
});

test('two polls of a session, by two workers, end it', async () => {
  const [mine, other] = await oneOfEach();
  const connection = await RawConnection.open(server.port);
  await ask(connection, postText(mine.path, '3'));
  const direct = other.poll();
  await other.post('3');
  const passedOn = await ask(connection, getText(other.path));
  // Which of the two comes first is not settled: they come by connections of their own.
  const [waiting, second] = [await direct, passedOn].sort((a, b) => a.status - b.status);
  assert.deepEqual([waiting.status, waiting.text, second.status], [200, '1', 400]);
  assert.equal(await sessionLives(server, other.sid), false);
  connection.close();
});

test('a body that is too large, or invalid, is refused by whichever worker reads it', async () => {
  const [mine, other] = await oneOfEach();
  const connection = await RawConnection.open(server.port);
  await ask(connection, postText(mine.path, '3'));
  const large = await ask(connection, postText(other.path, `4${'x'.repeat(1_000_000)}`));
  assert.equal(large.status, 413);
  assert.ok(await sessionLives(server, other.sid));
  const again = await RawConnection.open(server.port);
  await ask(again, postText(mine.path, '3'));
  const invalid = await ask(again, postText(other.path, 'x'));
  assert.deepEqual([invalid.status, JSON.parse(invalid.text).code], [400, 3]);
  assert.equal(await sessionLives(server, other.sid), false);
  connection.close();
  again.close();
});

test('unknown sessions are refused, whatever worker their name begins with', async () => {
  const { path, sid } = await RawPolling.open(server);
  const connection = await RawConnection.open(server.port);
  for (const unknownSid of [...'ABCDEz-_.', '%41', ''].map((first) => `${first}nobody`)) {
    const unknown = path.replace(sid, unknownSid);
    for (const { status, text } of [
      await get(server, unknown),
      await ask(connection, getText(unknown)),
    ]) {
      assert.deepEqual([status, JSON.parse(text).code], [400, 1], unknown);
    }
  }
  connection.close();
});

test('a request that arrives byte by byte reaches its session', async () => {
  for (const polling of await oneOfEach()) {
    const connection = await RawConnection.open(server.port);
    connection.socket.setNoDelay(true);
    for (const byte of postText(polling.path, join('nowhere'))) {
      connection.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await connection.answer()).text, 'ok');
    connection.close();
    assert.match(await polling.take(), /nowhere/);
  }
});

test('a name that is encoded is found as well, on a connection of whichever worker', async () => {
  for (const polling of await oneOfEach()) {
    const encoded = polling.path.replace('sid=', 's%69d=');
    assert.equal((await get(server, encoded.replace('polling&', 'websocket&'))).json.code, 3);
    const connection = await RawConnection.open(server.port);
    assert.equal((await ask(connection, postText(encoded, '3'))).text, 'ok');
    connection.close();
  }
});

test('clients upgrade, whichever workers their connections come to', async () => {
  const upgrades = Array.from({ length: 40 }, async () => {
    const peer = await Peer.connect(server, { transports: ['polling', 'websocket'] });
    if (peer.transport !== 'websocket') {
      const upgraded = new Promise((resolve) => peer.socket.io.engine.once('upgrade', resolve));
      await within(upgraded, 'upgrade');
    }
    return peer;
  });
  const peers = await Promise.all(upgrades);
  assert.ok(new Set(peers.map(workerOf)).size > 1);
  const roomId = longRoom();
  await createRoom(server, roomId);
  for (const peer of peers) assert.deepEqual(await peer.join(roomId), joined(roomId));
  await Promise.all(peers.map((peer) => peer.close()));
});

test('rooms hold sockets of all workers, on both transports', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  const peers = [];
  for (let i = 0; i < 2 * kWorkers; i++) {
    const transports = i % 2 === 0 ? ['websocket'] : ['polling'];
    const peer = await Peer.connect(server, { transports });
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    for (const other of peers) assert.deepEqual(await other.take('ready'), { peerId: peer.id });
    peers.push(peer);
  }
  assert.equal(new Set(peers.map(workerOf)).size, kWorkers);
  for (const from of peers) {
    for (const to of peers) {
      if (from === to) continue;
      from.emit('offer', { peerId: to.id, from: from.id, offer: { by: from.id } });
      const offer = await to.take('offer');
      assert.deepEqual(offer, { offer: { by: from.id }, from: from.id, peerId: from.id });
    }
  }
  const leaver = peers.pop();
  const { id } = leaver;
  await leaver.close();
  for (const peer of peers) assert.deepEqual(await peer.take('peer-disconnected'), { peerId: id });
  await Promise.all(peers.map((peer) => peer.close()));
});

test('an upgrade on a used connection: served by the owner, else closed without a word', async () => {
  const [mine, other] = await oneOfEach();
  for (const [session, served] of [
    [mine, true],
    [other, false],
  ]) {
    const connection = await RawConnection.open(server.port);
    await ask(connection, postText(mine.path, '3'));
    const path = session.path.replace('transport=polling', 'transport=websocket');
    const answer = await ask(connection, upgradeRequest(server.port, path));
    assert.equal(answer?.status ?? null, served ? 101 : null);
    connection.close();
  }
  // As a proxy does then.
  const ws = await RawWebSocket.probe(server, other.sid);
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  ws.close();
});

test('who sends no request is sent away in time, and counts as a connection until then', async () => {
  const small = await startServer({
    workers: 2,
    'limits.connections': 3,
    'http.request_timeout': 3000,
  });
  const silent = [];
  for (const beginning of ['', 'G', 'GET /socket.io/?EIO=4', 'GET /']) {
    const connection = await RawConnection.open(small.port);
    connection.write(beginning);
    silent.push(connection);
  }
  // One of them is refused at once, not always the last: each worker takes what it is faster with.
  await within(Promise.race(silent.map(({ closed }) => closed)), 'a refusal', { ms: 1500 });
  assert.equal(silent.filter(({ ended }) => ended).length, 1);
  await Promise.all(silent.map(({ closed }) => within(closed, 'end of a silent connection')));
  assert.equal((await get(small, '/health')).status, 200);
  await small.stop();
});

test('a client that ends before its request line is whole is let go', async () => {
  const before = descriptors(server.hostd.pid);
  for (const beginning of ['', 'GET /socket.io/?EIO=4']) {
    const connection = await RawConnection.open(server.port);
    connection.socket.end(beginning);
    await within(connection.closed, 'end');
  }
  await eventually(() => descriptors(server.hostd.pid) <= before, 'descriptors given back');
});

test('connections and sessions are limited, and counted, for all workers together', async () => {
  const small = await startServer({ workers: 3, 'limits.connections': 6 });
  const sockets = [];
  for (let i = 0; i < 5; i++) sockets.push(await RawWebSocket.connect(small));
  const { json } = await get(small, '/health/detailed');
  assert.equal(json.dependencies.socketio.connections, 5);
  // The connection of the request before counts until its end is noticed.
  const sixth = () => RawWebSocket.connect(small).catch(() => null);
  sockets.push(await eventually(sixth, 'a sixth connection'));
  const refused = await RawConnection.open(small.port);
  assert.equal(await ask(refused, getText('/health')), null);
  for (const socket of sockets) socket.close();
  await eventually(async () => (await get(small, '/health').catch(() => null))?.status === 200, 'room');
  for (let i = 0; i < 6; i++) await RawPolling.open(small);
  assert.equal((await get(small, '/socket.io/?EIO=4&transport=polling')).status, 503);
  await small.stop();
});

test('a port that is taken is refused, by one worker and by several', async () => {
  for (const workers of [1, 3]) {
    const { code, stderr } = await runHostd({
      'listen.host': '127.0.0.1',
      'listen.port': server.port,
      'redis.url': server.redis.url,
      workers,
    });
    assert.equal(code, 1);
    assert.match(stderr, /port is in use/);
  }
});

test('the number of workers is checked, may be that of the CPUs, and stand in the environment', async () => {
  for (const workers of ['65', '-1', 'two', '']) {
    const { code, stderr } = await runHostd([`--workers=${workers}`]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /workers/);
  }
  const { redis } = server;
  const many = await startHostd(
    { 'redis.url': redis.url, workers: null },
    { env: { SIGNALBOX_WORKERS: '3' } },
  );
  await many.logged(/worker=3 msg="connected to Redis"/);
  await many.stop();
  const one = await startHostd({ 'redis.url': redis.url, workers: 0 }, { shell: 'taskset -p 1 $$' });
  await one.logged(/msg="connected to Redis"/);
  assert.doesNotMatch(one.log, /worker/);
  await one.stop();
});

test('descriptors are given back after much coming and going', async () => {
  const { pid } = server.hostd;
  const churn = async () => {
    const polling = await RawPolling.connect(server);
    const { peers, close } = await meet(server, 2, { transports: ['polling', 'websocket'] });
    await peers[0].receivesOnlyFrom(peers[1]);
    await close();
    await polling.post('1');
    const left = await RawConnection.open(server.port);
    left.write(getText(polling.path).slice(0, 20));
    left.reset();
  };
  const before = descriptors(pid);
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 8 }, churn));
  }
  await eventually(() => descriptors(pid) <= before, 'descriptors given back');
});

test('a stop under load ends cleanly and leaves nothing in Redis', async () => {
  const busy = await startServer({ workers: kWorkers });
  const { roomId, peers } = await meet(busy, 4);
  const pollers = await oneOfEach(busy);
  const connection = await RawConnection.open(busy.port);
  await ask(connection, postText(pollers[0].path, '3'));
  connection.write(getText(pollers[1].path)); // waits at another worker
  let sent = 0;
  let going = true;
  const load = Promise.all(
    peers.map(async (from, index) => {
      const to = peers[(index + 1) % peers.length];
      for (; going; sent++) {
        from.emit('ice-candidate', { peerId: to.id, from: from.id, candidate: sent });
        if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  );
  const knocking = (async () => {
    while (going) await RawPolling.open(busy).catch(() => {});
  })();
  await eventually(() => sent > 2000, 'load');
  const stopped = busy.hostd.stop();
  const ends = peers.map((peer) => within(peer.closed, 'end of a client'));
  await stopped.finally(() => {
    going = false;
  });
  await Promise.all([load, knocking, ...ends]);
  assert.equal(await busy.redis.command('EXISTS', `room:${roomId}:sockets`), 0);
  await busy.redis.stop();
});

// The one that has no sessions any more could end at once, and take these connections with it.
test('a worker whose connections serve the sessions of another stays until these have ended', async () => {
  const two = await startServer({ workers: 2 });
  const clients = [];
  for (let i = 0; i < 60; i++) {
    const connection = await RawConnection.open(two.port);
    const { text } = await ask(connection, getText('/socket.io/?EIO=4&transport=polling'));
    const { sid } = JSON.parse(text.slice(1));
    clients.push({ connection, sid, path: `/socket.io/?EIO=4&transport=polling&sid=${sid}` });
  }
  const idle = workerOf(clients[0]);
  const first = clients.filter((each) => workerOf(each) === idle);
  const second = clients.filter((each) => workerOf(each) !== idle).slice(0, first.length);
  assert.ok(second.length >= 10, 'both workers have sessions');
  for (const { connection, path } of first) await ask(connection, postText(path, '1'));
  const polls = second.map(({ path }, i) => {
    first[i].connection.write(getText(path));
    return first[i].connection.answer();
  });
  // Whoever is asked behind the polls has passed them on.
  for (const { connection, path } of second) await ask(connection, postText(path, '3'));
  const stopped = two.stop();
  for (const answer of await Promise.all(polls)) assert.ok(answer, 'an answer, not a hang-up');
  await stopped;
  for (const { connection } of clients) connection.close();
});
