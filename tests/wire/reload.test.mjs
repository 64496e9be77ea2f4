// SIGHUP: hostd reads its configuration file again. What can change while it serves changes, the log
// tells what else there is, and a file with a fault changes nothing.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { startHostd, startServer } from '../lib/hostd.mjs';
import { get, post } from '../lib/http.mjs';
import { temporaryDirectory } from '../lib/process.mjs';
import { RawWebSocket } from '../lib/raw.mjs';
import { startRedis } from '../lib/redis.mjs';
import { makeCertificate } from '../lib/tls.mjs';
import { within } from '../lib/wait.mjs';

const kFile = path.join(temporaryDirectory(), 'hostd.toml');

let redis;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.stop());

// Writes the file and starts a hostd that reads it; `flags` and `env` go before it.
async function serve(text, { flags = {}, env = {} } = {}) {
  writeFileSync(kFile, text);
  const options = { config: kFile, 'redis.url': redis.url, ...flags };
  const hostd = await startHostd(options, { env });
  return {
    hostd,
    port: hostd.port,
    url: hostd.url,
    // Has it read the file again; gives the lines of log that this made, without time, once one
    // matches `last`.
    async reload(text, last) {
      if (text !== null) writeFileSync(kFile, text);
      const known = hostd.log.length;
      hostd.child.kill('SIGHUP');
      const lines = () =>
        hostd.log
          .slice(known)
          .trimEnd()
          .split('\n')
          .map((line) => line.slice(kTimeLength))
          .filter((line) => !line.includes('connected to Redis'));
      const told = new Promise((resolve) => {
        const look = () => lines().some((line) => last.test(line)) && resolve();
        hostd.child.stderr.on('data', look);
        look();
      });
      await within(told, `${last} in the log`, { detail: () => lines().join('\n') });
      return lines();
    },
    stop: () => hostd.stop(),
  };
}

const kTimeLength = 'ts=2026-01-01T00:00:00.000+00:00 '.length;
const kAgain = `level=info msg="the file was read again" file=${kFile}`;
const kRefused = `level=error msg="the file is refused: nothing has changed" file=${kFile}`;
const kFault = 'level=error msg="a setting is refused" error=';
const changed = (option, value, before) =>
  `level=info msg="an option changed" option=${option} value=${value} before=${before}`;

test('a limit changes at once; who is in already stays', async () => {
  const server = await serve('limits.room_size = 2\n');
  const roomId = longRoom();
  await createRoom(server, roomId);
  const peers = [];
  for (let i = 0; i < 3; ++i) peers.push(await Peer.connect(server));
  assert.deepEqual(await peers[0].join(roomId), joined(roomId));
  assert.deepEqual(await peers[1].join(roomId), joined(roomId));
  assert.equal((await peers[2].join(roomId)).message, 'Room is full');
  const lines = await server.reload('[limits]\nroom_size = 3\n', /room_size/);
  assert.deepEqual(lines, [kAgain, changed('limits.room_size', 3, 2)]);
  assert.deepEqual(await peers[2].join(roomId), joined(roomId));
  // Away from the file, an option goes back to its default.
  assert.deepEqual(await server.reload('', /room_size/), [
    kAgain,
    changed('limits.room_size', 100, 3),
  ]);
  await Promise.all(peers.map((peer) => peer.close()));
  await server.stop();
});

test('the join limit can be switched on and off', async () => {
  const server = await serve('limits.join_enabled = false\n', {
    flags: { 'limits.join_enabled': null },
  });
  const join = async () => {
    const peer = await Peer.connect(server);
    const { success } = await peer.join(roomId);
    await peer.close();
    return success;
  };
  const roomId = longRoom();
  await createRoom(server, roomId);
  for (let i = 0; i < 4; ++i) assert.equal(await join(), true);
  await server.reload('limits.join_enabled = true\nlimits.join_count = 1\n', /join_enabled/);
  assert.equal(await join(), true);
  assert.equal(await join(), false);
  await server.reload('limits.join_enabled = off\n', /join_enabled/);
  assert.equal(await join(), true);
  await server.stop();
});

test('the list of origins changes for pages and for WebSockets', async () => {
  const server = await serve('cors.origins = "https://a.example"\n');
  const allowed = async (origin) => {
    const { headers } = await get(server, '/health', { Origin: origin });
    const open = RawWebSocket.open(server, { headers: { Origin: origin } }).then(
      (ws) => (ws.close(), true),
      () => false,
    );
    const answers = [headers['access-control-allow-origin'] === origin, await open];
    assert.equal(answers[0], answers[1]);
    return answers[0];
  };
  assert.deepEqual(
    [await allowed('https://a.example'), await allowed('https://b.example')],
    [true, false],
  );
  await server.reload('cors.origins = ["https://b.example", "https://c.example"]\n', /cors/);
  assert.deepEqual(
    [
      await allowed('https://a.example'),
      await allowed('https://b.example'),
      await allowed('https://c.example'),
    ],
    [false, true, true],
  );
  await server.stop();
});

test('lives of rooms, sizes of requests, the name of the environment', async () => {
  const server = await serve('');
  await server.reload('environment = "other"\nrooms.ttl = 1000\nhttp.max_body = 20\n', /rooms/);
  assert.equal((await get(server, '/health')).json.environment, 'other');
  const roomId = longRoom();
  assert.equal(
    (await post(server, '/api/create_room', { roomId, more: 'x'.repeat(99) })).status,
    413,
  );
  await server.reload('rooms.ttl = 1000\n', /http.max_body/);
  await createRoom(server, roomId);
  const ttl = await redis.command('TTL', `room:${roomId}`);
  assert.ok(ttl > 990 && ttl <= 1000, `${ttl}`);
  await server.stop();
});

test('flags and environment go before the file, as at the start', async () => {
  const server = await serve('environment = "file"\n', {
    flags: { 'limits.room_size': 7 },
    env: { SIGNALBOX_ROOMS_TTL: '70', NODE_ENV: 'backend' },
  });
  const lines = await server.reload(
    'environment = "new"\nlimits.room_size = 8\nrooms.ttl = 80\nrooms.empty_ttl = 90\n',
    /empty_ttl/,
  );
  assert.deepEqual(lines, [kAgain, changed('rooms.empty_ttl', 90, 900)]);
  assert.equal((await get(server, '/health')).json.environment, 'backend');
  await server.stop();
});

test('what needs a restart is told, each time, and the rest changes all the same', async () => {
  const server = await serve('');
  const text = 'decision.timeout = 1\nlimits.room_size = 5\nproxy.trusted = "10.0.0.0/8"\n';
  const restarts = ['decision.timeout', 'proxy.trusted'].map(
    (name) =>
      `level=warning msg="an option has another value in the file: it changes with a restart" option=${name}`,
  );
  assert.deepEqual(await server.reload(text, /proxy/), [
    kAgain,
    changed('limits.room_size', 5, 100),
    ...restarts,
  ]);
  assert.deepEqual(await server.reload(null, /proxy/), [kAgain, ...restarts]);
  await server.stop();
});

test('a file with faults changes nothing, and each fault is told by the name of its option', async () => {
  const server = await serve('limits.room_size = 2\n');
  const lines = await server.reload(
    'limits.room_size = 1\nlimits.room_sise = 3\nrooms.ttl = -1\nnonsense\nlog-level = "loud"\n' +
      'cors.origins = "no origin"\nhttp.max_body = [1, 2]\n',
    /nothing has changed/,
  );
  assert.equal(lines.at(-1), kRefused);
  const faults = lines.slice(0, -1).sort();
  const told = [
    "2: unknown option 'limits.room_sise' (did you mean limits.room_size?)",
    "3: option rooms.ttl: '-1' is not allowed",
    "4: unknown option 'nonsense'",
    "5: option log.level: 'loud' is not allowed",
    '6: option cors.origins: ',
    '7: option http.max_body: one value is allowed',
  ];
  assert.equal(faults.length, told.length, `${faults.join('\n')}`);
  told.forEach((text, i) => assert.ok(faults[i].startsWith(`${kFault}"${kFile}:${text}`), faults[i]));
  // The good lines of the same file have not come into force.
  const roomId = longRoom();
  await createRoom(server, roomId);
  const peers = [await Peer.connect(server), await Peer.connect(server)];
  for (const peer of peers) assert.deepEqual(await peer.join(roomId), joined(roomId));
  await Promise.all(peers.map((peer) => peer.close()));
  // And the next file counts as if there had been none.
  const next = await server.reload('limits.room_size = 3\n', /room_size/);
  assert.deepEqual(next, [kAgain, changed('limits.room_size', 3, 2)]);
  await server.stop();
});

test('a file that no start would take changes nothing, however good each of its lines is', async () => {
  const server = await serve('limits.room_size = 2\n');
  const line2 = `${kFile}:2: option `;
  for (const [text, told] of [
    ['tls.cert = "/none"\ntls.key = "/none"\n', `${line2}tls.cert: '/none': No such file`],
    ['tls.cert = "/none"\n', `${line2}tls.cert: needs tls.key`],
    [
      'redis.sentinels = "h"\nredis.master_name = "m"\nredis.cluster = true\n',
      `${line2}redis.sentinels: does not go with a redis.url of unix://`,
    ],
    ['turn.urls = "turn:h"\n', 'option turn.secret: is needed'],
  ]) {
    const lines = await server.reload(`limits.room_size = 3\n${text}`, /nothing has changed/);
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.ok(lines[0].startsWith(`${kFault}"${told}`), lines[0]);
    assert.equal(lines[1], kRefused);
  }
  const next = await server.reload('limits.room_size = 3\n', /room_size/);
  assert.deepEqual(next, [kAgain, changed('limits.room_size', 3, 2)]);
  await server.stop();
});

test('a certificate that cannot be used keeps the rest of the file from changing', async () => {
  const files = makeCertificate();
  const text = `tls.cert = "${files.cert}"\ntls.key = "${files.key}"\n`;
  const server = await serve(text);
  writeFileSync(files.cert, 'nothing');
  const lines = await server.reload(`${text}limits.room_size = 3\n`, /nothing has changed/);
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.ok(lines[0].startsWith(`${kFault}"${kFile}:1: option tls.cert: '${files.cert}'`), lines[0]);
  assert.equal(lines[1], kRefused);
  await server.stop();
});

test('a file that is gone changes nothing', async () => {
  const server = await serve('limits.room_size = 2\n');
  rmSync(kFile);
  assert.deepEqual(await server.reload(null, /nothing has changed/), [
    `${kFault}"--config: cannot read '${kFile}'"`,
    kRefused,
  ]);
  await server.stop();
});

test('the level of the log changes, for what the engine says too', async () => {
  const server = await serve('log-level = "error"\n');
  const remark = (message) => post(server, '/api/logs_debug', { message, timestamp: 1 });
  await remark('unheard');
  assert.equal(server.hostd.log, '');
  await server.reload('log-level = "info"\n', /option=log.level value=info before=error/);
  await remark('heard');
  await server.hostd.logged(/message:heard/);
  await server.reload('log-level = "warning"\ndecision.timeout = 1\n', /decision.timeout/);
  await remark('unheard again');
  await server.reload(null, /decision.timeout/); // warnings pass: a fence
  assert.doesNotMatch(server.hostd.log, /unheard/);
  await server.stop();
});

test('without a file there is nothing to read again, and hostd serves on', async () => {
  const server = await startServer();
  server.hostd.child.kill('SIGHUP');
  await server.hostd.logged(/level=warning msg="SIGHUP: no file to read again/);
  assert.equal((await get(server, '/health')).status, 200);
  await server.stop();
});

test('many at once, also while it ends', async () => {
  const server = await serve('limits.room_size = 2\n');
  for (let i = 0; i < 50; ++i) server.hostd.child.kill('SIGHUP');
  const end = server.stop();
  for (let i = 0; i < 50; ++i) server.hostd.child.kill('SIGHUP');
  await end;
});
