// Options, environment and what goes wrong at the start.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { createRoom, longRoom, Peer } from '../lib/clients.mjs';
import { runHostd, startHostd } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { freePort } from '../lib/ports.mjs';
import { RawWebSocket } from '../lib/raw.mjs';
import { startRedis } from '../lib/redis.mjs';

let redis;
let redisPort;
before(async () => {
  redisPort = await freePort();
  redis = await startRedis({ port: redisPort });
});
after(() => redis.stop());

// No options but these: the environment decides the rest.
const bare = { 'listen.host': null, 'listen.port': null, 'limits.join_enabled': null };
const kRedis = () => ({ REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redisPort) });

test('a port in use: a clear error, exit 1', async () => {
  const first = await startHostd({ 'redis.url': redis.url });
  const { code, stderr, stdout } = await runHostd({
    'listen.host': '127.0.0.1',
    'listen.port': first.port,
    'redis.url': redis.url,
  });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`${first.port}`));
  assert.match(stderr, /in use|EADDRINUSE/i);
  assert.ok(stderr.length < 2000, stderr);
  assert.doesNotMatch(stdout, /listening/);
  await first.stop();
});

test('an address that is not ours: a clear error, exit 1', async () => {
  const { code, stderr } = await runHostd({
    'listen.host': '192.0.2.1',
    'listen.port': 0,
    'redis.url': redis.url,
  });
  assert.equal(code, 1);
  assert.match(stderr, /192\.0\.2\.1/);
});

for (const [option, value, told] of [
  ['listen.port', '65536', [/listen\.port/, /65536/, /65535/]],
  ['listen.port', 'abc', [/listen\.port/, /abc/]],
  ['limits.join_enabled', 'maybe', [/limits\.join_enabled/, /maybe/, /true/]],
  ['engineio.ping_interval', '-1', [/engineio\.ping_interval/, /-1/]],
  ['listen.prot', '1', [/listen\.prot/]],
]) {
  test(`--${option} ${value}: told what is wrong, exit 2`, async () => {
    const { code, stderr } = await runHostd({ [option]: value });
    assert.equal(code, 2, stderr);
    for (const pattern of told) assert.match(stderr, pattern);
  });
}

test('BACKEND_PORT, REDIS_HOST, REDIS_PORT, and both IP versions', async () => {
  const port = await freePort();
  const hostd = await startHostd(bare, { env: { BACKEND_PORT: String(port), ...kRedis() } });
  assert.equal(hostd.port, port);
  const roomId = longRoom();
  await createRoom(hostd, roomId);
  assert.equal(await redis.command('EXISTS', `room:${roomId}`), 1);
  const { json } = await get(hostd, '/health/detailed');
  assert.deepEqual([json.dependencies.redis.host, json.environment], ['127.0.0.1', 'production']);
  assert.equal(Number(json.dependencies.redis.port), redisPort);
  const six = net.connect({ host: '::1', port });
  await new Promise((resolve, reject) => six.once('connect', resolve).once('error', reject));
  six.destroy();
  await hostd.stop();
});

test('CORS_ORIGIN', async () => {
  const env = {
    CORS_ORIGIN: 'http://one.example,https://two.example',
    BACKEND_PORT: '0',
    ...kRedis(),
  };
  const hostd = await startHostd(bare, { env });
  for (const origin of env.CORS_ORIGIN.split(',')) {
    const { headers } = await get(hostd, '/health', { Origin: origin });
    assert.equal(headers['access-control-allow-origin'], origin);
    (await RawWebSocket.open(hostd, { headers: { Origin: origin } })).close();
  }
  await assert.rejects(RawWebSocket.open(hostd, { headers: { Origin: 'http://evil.example' } }));
  await hostd.stop();
});

test('NODE_ENV', async () => {
  const env = { NODE_ENV: 'development', BACKEND_PORT: '0', ...kRedis() };
  const hostd = await startHostd(bare, { env });
  assert.equal((await get(hostd, '/health')).json.environment, 'development');
  await hostd.stop();
});

for (const [value, allowed] of [
  ['1', 5],
  ['', 2],
  ['0', 2],
]) {
  test(`DISABLE_JOIN_RATE_LIMIT=${value}: ${allowed} of 5 joins count`, async () => {
    const env = { DISABLE_JOIN_RATE_LIMIT: value, BACKEND_PORT: '0', ...kRedis() };
    const hostd = await startHostd(bare, { env });
    const roomId = longRoom();
    await createRoom(hostd, roomId);
    const extraHeaders = { 'X-Forwarded-For': `203.0.113.${allowed}${value}` };
    let successes = 0;
    for (let count = 0; count < 5; count++) {
      const peer = await Peer.connect(hostd, { extraHeaders });
      successes += (await peer.join(roomId)).success ? 1 : 0;
      await peer.close();
    }
    assert.equal(successes, allowed);
    await hostd.stop();
  });
}

test('an option on the command line is stronger than the environment', async () => {
  const hostd = await startHostd(
    { 'redis.url': redis.url, environment: 'flag' },
    { env: { NODE_ENV: 'variable', BACKEND_PORT: '1', REDIS_PORT: '1' } },
  );
  assert.equal((await get(hostd, '/health')).json.environment, 'flag');
  await hostd.stop();
});

test('--version and --help', async () => {
  for (const option of ['version', 'help']) {
    const { code, stdout } = await runHostd([`--${option}`]);
    assert.equal(code, 0);
    assert.ok(stdout.length > 0);
  }
});
