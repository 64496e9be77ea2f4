// What a browser is told of STUN and TURN servers, and that wrong lists of them are refused at start.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { runHostd, startHostd, startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';

const kSecret = 'shared with "coturn" \\ alone';
const kTurn = ['turn:turn.example:3478?transport=udp', 'turns:[2001:db8::1]:5349'];
const kStun = ['stun:stun.example:3478', 'stuns:stun.example'];
const kPath = '/api/ice_servers';
const kTtl = 3600;

let server;
let bare; // without turn.urls
before(async () => {
  server = await startServer({
    'turn.urls': [kTurn[0], kStun[0], kTurn[1], kStun[1]].join(','),
    'turn.secret': kSecret,
    'turn.ttl': kTtl,
  });
  bare = await startHostd({ 'redis.url': server.redis.url });
});
after(async () => {
  await bare.stop();
  await server.stop();
});

test('TURN servers with credentials for a while, STUN servers without', async () => {
  const begin = Math.floor(Date.now() / 1000);
  const { status, headers, json } = await get(server, kPath);
  assert.equal(status, 200);
  assert.equal(headers['cache-control'], 'no-store');
  assert.match(headers['content-type'], /^application\/json/);

  const { username, credential } = json.iceServers[1];
  assert.deepEqual(json, {
    iceServers: [{ urls: kStun }, { urls: kTurn, username, credential }],
    ttl: kTtl,
  });
  const [, expires] = /^(\d+):[\w-]{12}$/.exec(username) ?? assert.fail(username);
  const end = Math.floor(Date.now() / 1000);
  assert.ok(begin + kTtl <= expires && expires <= end + kTtl, username);
  assert.equal(credential, createHmac('sha1', kSecret).update(username).digest('base64'));
});

test('no two have the same name at the TURN server', async () => {
  const answers = await Promise.all([1, 2, 3].map(() => get(server, kPath)));
  const names = answers.map(({ json }) => json.iceServers[1].username);
  assert.equal(new Set(names).size, names.length);
});

test('an empty list where none are configured', async () => {
  const { status, headers, json } = await get(bare, kPath);
  assert.deepEqual([status, json], [200, { iceServers: [], ttl: 86400 }]);
  assert.equal(headers['cache-control'], 'no-store');
});

test('STUN servers need no secret', async () => {
  const open = await startHostd({ 'redis.url': server.redis.url, 'turn.urls': kStun[0] });
  try {
    assert.deepEqual((await get(open, kPath)).json.iceServers, [{ urls: [kStun[0]] }]);
  } finally {
    await open.stop();
  }
});

for (const [options, message] of [
  [{ 'turn.urls': kTurn[0] }, `option turn.secret: is needed with ${kTurn[0]} in turn.urls`],
  [
    { 'turn.urls': `${kStun[0]},https://turn.example`, 'turn.secret': kSecret },
    `option turn.urls: '${kStun[0]},https://turn.example' is not allowed; a comma-separated list of ` +
      'stun:host[:port] and turn:host[:port][?transport=udp|tcp], stuns: and turns: likewise',
  ],
]) {
  test(`refused at start: ${message.slice(0, 60)}`, async () => {
    const { code, stderr } = await runHostd({ 'listen.port': 0, ...options });
    assert.notEqual(code, 0);
    assert.ok(stderr.includes(message), stderr);
    assert.ok(!stderr.includes(kSecret), 'no secret is logged');
  });
}
