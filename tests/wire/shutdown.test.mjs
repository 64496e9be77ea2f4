// The life of the process: its end by a signal, what it leaves behind, and descriptor exhaustion.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { longRoom, createRoom, meet, Peer } from '../lib/clients.mjs';
import { startHostd, startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { kClose, RawConnection, RawPolling, RawWebSocket } from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';

// Fields of /proc/PID/stat behind the name; null when the process is gone or only waits to be reaped.
function stat(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields;
  } catch {
    return null;
  }
}

function descendants(pid) {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => Number(stat(each)?.[1]) === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal}: clients see a clean close, hostd ends with 0 within 5 s, Redis forgets its sockets`, async () => {
    const server = await startServer();
    const { redis, hostd } = server;
    const {
      roomId,
      peers: [a],
    } = await meet(server, 1);
    const b = await Peer.connect(server, { transports: ['polling'] });
    await b.join(roomId);
    const ws = await RawWebSocket.connect(server);
    await ws.join(roomId);
    await a.take('ready');
    await RawConnection.open(server.port); // one that says nothing

    const begun = performance.now();
    const end = hostd.stop(signal);
    const messages = [];
    for (let message = await ws.take(); message; message = await ws.take()) {
      messages.push(message);
      if (message.opcode === kClose) break;
    }
    assert.equal(messages.at(-1)?.opcode, kClose, 'a close frame, not a cut');
    assert.ok(
      ['transport close', 'io server disconnect'].includes(await within(a.closed, 'disconnect')),
    );
    await within(b.closed, 'disconnect of the polling client');
    assert.deepEqual(await end, { code: 0, signal: null });
    assert.ok(performance.now() - begun < 5000, 'within 5 s');

    assert.deepEqual(await redis.command('KEYS', 'socket:*'), []);
    assert.equal(await redis.command('SCARD', `room:${roomId}:sockets`), 0);
    const ttl = await redis.command('TTL', `room:${roomId}`);
    assert.ok(ttl > 890 && ttl <= 900, `the room is emptied: ${ttl}`);
    await assert.rejects(get(server, '/health'), { code: 'ECONNREFUSED' });
    await redis.stop();
  });
}

test('SIGTERM with half requests, open polls and a Redis that stands still', async () => {
  const server = await startServer();
  await meet(server, 2);
  const polling = await RawPolling.connect(server);
  const poll = polling.poll().catch(() => null);
  const half = await RawConnection.open(server.port);
  half.write('POST /api/create_room HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
  server.redis.child.kill('SIGSTOP');
  const begun = performance.now();
  await server.hostd.stop();
  assert.ok(performance.now() - begun < 5000, 'within 5 s');
  await poll;
  server.redis.child.kill('SIGCONT');
  await server.redis.stop();
});

test('a second signal does not spoil the first', async () => {
  const server = await startServer();
  await meet(server, 2);
  server.hostd.child.kill('SIGTERM');
  server.hostd.child.kill('SIGINT');
  await server.stop();
});

for (const [signal, code] of [
  ['SIGTERM', 0],
  ['SIGKILL', null],
]) {
  test(`the embedded Redis is gone after ${signal}`, async () => {
    const hostd = await startHostd({});
    const roomId = longRoom();
    await createRoom(hostd, roomId);
    const own = descendants(hostd.pid);
    const redis = own.find((pid) => /redis/.test(readFileSync(`/proc/${pid}/comm`, 'utf8')));
    assert.ok(redis, 'it has a redis-server of its own');
    const directory = readlinkSync(`/proc/${redis}/cwd`);
    assert.equal(
      (await get(hostd, '/health/detailed')).json.dependencies.redis.status,
      'connected',
    );
    hostd.child.kill(signal);
    assert.equal((await within(hostd.exited, 'end')).code, code);
    await eventually(() => own.every((pid) => !stat(pid)), 'end of the children');
    if (signal === 'SIGTERM') assert.ok(!existsSync(directory), `${directory} is removed`);
  });
}

test('two daemons with embedded Redis share nothing', async () => {
  const [one, two] = await Promise.all([startHostd({}), startHostd({})]);
  const roomId = 'same';
  await createRoom(one, roomId);
  await createRoom(two, roomId);
  await Promise.all([one.stop(), two.stop()]);
});

test('out of descriptors: no spinning, a short log, and service again afterwards', async () => {
  const server = await startServer({}, { shell: 'ulimit -n 64' });
  const { hostd } = server;
  const {
    peers: [a, b],
    close,
  } = await meet(server, 2);
  const connections = await Promise.all(
    Array.from({ length: 200 }, () => RawConnection.open(server.port).catch(() => null)),
  );
  // A request that is answered or refused shows that the daemon has seen the flood.
  await a.receivesOnlyFrom(b);
  await b.receivesOnlyFrom(a);

  const ticks = () => {
    const fields = stat(hostd.pid);
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = { ticks: ticks(), log: hostd.log.length };
  const kWindow = 1500; // the measurement: CPU time over a stretch of real time
  await new Promise((resolve) => setTimeout(resolve, kWindow));
  const spent = (ticks() - before.ticks) * 10;
  assert.ok(spent < kWindow / 5, `${spent} ms of CPU in ${kWindow} ms`);
  assert.ok(hostd.log.length - before.log < 4000, `log grows: ${hostd.log.slice(-500)}`);
  assert.ok(hostd.log.length < 100000);

  for (const connection of connections) connection?.close();
  await eventually(
    async () => (await get(server, '/health').catch(() => null))?.status === 200,
    'service',
  );
  const late = await meet(server, 2);
  await late.peers[0].receivesOnlyFrom(late.peers[1]);
  await late.close();
  await a.receivesOnlyFrom(b);
  await close();
  await server.stop();
});
