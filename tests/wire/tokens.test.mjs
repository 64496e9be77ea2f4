// Tokens: who may connect, join and call the HTTP API where keys for them are configured, and every
// kind of token that must be refused.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, Peer } from '../lib/clients.mjs';
import { runHostd, startHostd, startServer } from '../lib/hostd.mjs';
import { get, post } from '../lib/http.mjs';
import { claimsFor, kSecret, now, rsaKeys, token } from '../lib/tokens.mjs';
import { eventually } from '../lib/wait.mjs';

const kRsa = rsaKeys();
const kOtherRsa = rsaKeys();
const withRsa = { alg: 'RS256', key: kRsa.privateKey };

let open; // without keys
let server; // with both
before(async () => {
  open = await startServer();
  // A flag cannot begin as a PEM text does.
  const env = { SIGNALBOX_AUTH_JWT_RS256_KEY: kRsa.publicKey };
  server = await startHostd(
    { 'redis.url': open.redis.url, 'auth.jwt_hs256_key': kSecret },
    { env },
  );
});
after(async () => {
  await server.stop();
  await open.stop();
});

async function newRoom() {
  const roomId = longRoom();
  await createRoom(open, roomId);
  return roomId;
}
const connect = (auth, to = server) => Peer.connect(to, auth === undefined ? {} : { auth });
const bearer = (text) => ({ Authorization: `Bearer ${text}` });
const refused = (roomId, message) => ({ success: false, message, roomId });

async function assertNotConnected(auth, message) {
  await assert.rejects(connect(auth), { message }, JSON.stringify(auth).slice(0, 80));
}

for (const [name, settings] of [
  ['HS256', {}],
  ['RS256', withRsa],
]) {
  test(`a valid token of ${name} opens its room, and no other`, async () => {
    const [roomId, other] = [await newRoom(), await newRoom()];
    const text = token({ ...claimsFor(roomId), nbf: now(), sub: 'x', more: { a: [1] } }, settings);
    const peer = await connect({ token: text, else: 7 });
    assert.deepEqual(await peer.join(other), refused(other, 'The token is for another room'));
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    await peer.close();
  });
}

test('without a token one may connect, and not join', async () => {
  const roomId = await newRoom();
  for (const auth of [undefined, {}, { other: 'x' }]) {
    const peer = await connect(auth);
    assert.deepEqual(await peer.join(roomId), refused(roomId, 'A token is required'));
    await peer.close();
  }
});

test('a token that expires while its client is connected opens nothing any more', async () => {
  const roomId = await newRoom();
  const exp = now() + 2;
  const peer = await connect({ token: token({ room: roomId, exp }) });
  await eventually(() => Date.now() >= exp * 1000, 'expiry');
  assert.deepEqual(await peer.join(roomId), refused(roomId, 'The token has expired'));
  await peer.close();
});

const claims = () => claimsFor('the-room', 600);
const kInvalid = 'The token is not valid';
const [kHead, kBody, kSignature] = token(claims()).split('.');
const kBad = [
  ['expired', token({ room: 'the-room', exp: now() - 1 }), 'The token has expired'],
  ['expired at the epoch', token({ room: 'the-room', exp: 0 }), 'The token has expired'],
  ['not valid yet', token({ ...claims(), nbf: now() + 30 }), 'The token is not valid yet'],
  ['with a text as nbf', token({ ...claims(), nbf: 'never' }), kInvalid],
  ['with a text as exp', token({ ...claims(), exp: `${now() + 60}` }), kInvalid],
  ['without exp', token({ room: 'the-room' }), kInvalid],
  ['without room', token({ exp: now() + 60 }), kInvalid],
  ['with a list of rooms', token({ ...claims(), room: ['the-room'] }), kInvalid],
  ['with an empty room', token({ ...claims(), room: '' }), kInvalid],
  ['of a wrong secret', token(claims(), { key: `${kSecret}x` }), kInvalid],
  ['of a wrong RSA key', token(claims(), { ...withRsa, key: kOtherRsa.privateKey }), kInvalid],
  ['of the algorithm none', token(claims(), { alg: 'none' }), kInvalid],
  ['of the algorithm none with a signature', `${token(claims(), { alg: 'none' })}x`, kInvalid],
  ['of the algorithm NoNe', token(claims(), { header: { alg: 'NoNe' } }), kInvalid],
  ['of no algorithm', token(claims(), { header: { alg: undefined } }), kInvalid],
  ['that calls RS256 HS256', token(claims(), { ...withRsa, header: { alg: 'HS256' } }), kInvalid],
  ['of HS256 with the RSA key as secret', token(claims(), { key: kRsa.publicKey }), kInvalid],
  ['of HS256 with an empty secret', token(claims(), { key: '' }), kInvalid],
  ['of HS384', token(claims(), { alg: 'HS384' }), kInvalid],
  ['of RS512', token(claims(), { ...withRsa, alg: 'RS512' }), kInvalid],
  ['with something critical', token(claims(), { header: { crit: ['b64'], b64: false } }), kInvalid],
  [
    'with another body',
    `${kHead}.${token(claimsFor('another')).split('.')[1]}.${kSignature}`,
    kInvalid,
  ],
  ['without a signature', `${kHead}.${kBody}.`, kInvalid],
  ['of two parts', `${kHead}.${kBody}`, kInvalid],
  ['of four parts', `${kHead}.${kBody}.${kSignature}.x`, kInvalid],
  ['with a NUL behind it', `${kHead}.${kBody}.${kSignature}\0x`, kInvalid],
  ['with padding', `${kHead}.${kBody}.${kSignature}=`, kInvalid],
  ['empty', '', kInvalid],
  ['of dots', '..', kInvalid],
  ['of garbage', 'x.y.z', kInvalid],
  ['of other garbage', '\u{1F511}.\n.%s', kInvalid],
  [
    'of JSON that is none',
    `${Buffer.from('{"alg":"HS256"').toString('base64url')}.e30.x`,
    kInvalid,
  ],
  ['of deep JSON', `${kHead}.${Buffer.from('['.repeat(4000)).toString('base64url')}.x`, kInvalid],
  ['of nearly 1 MB', `${kHead}.${'A'.repeat(990000)}.${kSignature}`, kInvalid],
  ['that is a number', 7, kInvalid],
  ['that is null', null, kInvalid],
  ['that is an object', { alg: 'none' }, kInvalid],
];
for (const [name, text, message] of kBad) {
  test(`a token ${name} is refused, over Socket.IO and HTTP`, async () => {
    await assertNotConnected({ token: text }, message);
    // What an HTTP header can have.
    if (typeof text !== 'string' || text.length > 9000 || !/^[\x21-\x7e]+$/.test(text)) return;
    const answer = await post(server, '/api/check_room', { roomId: 'the-room' }, bearer(text));
    assert.deepEqual([answer.status, answer.json], [401, { error: message }]);
    assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"');
  });
}

test('the HTTP API needs a token for what concerns rooms', async () => {
  const [roomId, other] = [longRoom(), await newRoom()];
  const mine = bearer(token(claimsFor(roomId)));
  for (const path of ['create_room', 'check_room', 'leave_room']) {
    const call = (id, headers) =>
      post(server, `/api/${path}`, { roomId: id, socketId: 'x' }, headers);
    for (const headers of [{}, { Authorization: 'Basic eDp5' }, { Authorization: 'Bearer' }]) {
      const none = await call(roomId, headers);
      assert.deepEqual([none.status, none.json], [401, { error: 'A token is required' }]);
      assert.equal(none.headers['www-authenticate'], 'Bearer');
    }
    const wrong = await call(other, mine);
    assert.deepEqual([wrong.status, wrong.json], [403, { error: 'The token is for another room' }]);
    assert.equal((await call(roomId, mine)).status, 200);
  }
  assert.equal((await get(server, '/api/get_room')).status, 401);
  const { status, json } = await get(server, '/api/get_room', mine);
  assert.deepEqual([status, json], [403, { error: 'With a token a room is created by its name' }]);

  assert.equal(await open.redis.command('EXISTS', `room:${roomId}`), 1);
  const body = { ref: 'x', timestamp: Date.now() };
  assert.equal((await post(server, '/api/set_track', body)).status, 200);
  assert.equal((await get(server, '/health')).status, 200);
});

test('ICE servers are told to any token', async () => {
  const none = await get(server, '/api/ice_servers');
  assert.deepEqual([none.status, none.json], [401, { error: 'A token is required' }]);
  const { status, json } = await get(server, '/api/ice_servers', bearer(token(claimsFor('x'))));
  assert.deepEqual([status, json.iceServers], [200, []]);
});

test('with one key only its algorithm is known', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-key-'));
  const file = join(directory, 'key.pem');
  writeFileSync(file, kRsa.publicKey);
  const [roomId, text] = [await newRoom(), (settings) => token(claimsFor('x'), settings)];
  const settings = { 'redis.url': open.redis.url };
  const rsa = await startHostd({ ...settings, 'auth.jwt_rs256_key': file });
  const hmac = await startHostd(settings, {
    env: { SIGNALBOX_AUTH_JWT_HS256_KEY: kRsa.publicKey },
  });
  try {
    for (const wrong of [text(), text({ key: kRsa.publicKey }), text({ alg: 'none' })])
      await assert.rejects(connect({ token: wrong }, rsa), { message: kInvalid });
    await assert.rejects(connect({ token: text(withRsa) }, hmac), { message: kInvalid });
    const peer = await connect({ token: token(claimsFor(roomId), withRsa) }, rsa);
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    await peer.close();
  } finally {
    await Promise.all([rsa.stop(), hmac.stop()]);
    rmSync(directory, { recursive: true });
  }
});

test('without keys tokens mean nothing', async () => {
  const roomId = await newRoom();
  const peer = await connect({ token: 'whatever' }, open);
  assert.deepEqual(await peer.join(roomId), joined(roomId));
  await peer.close();
});

test('a key that cannot be used is told at the start', async () => {
  for (const [name, value, pattern] of [
    ['HS256', 'too short', /auth\.jwt_hs256_key: needs 32 bytes at least/],
    ['RS256', '/no/such/file', /auth\.jwt_rs256_key: cannot read \/no\/such\/file/],
    ['RS256', rsaKeys(1024).publicKey, /auth\.jwt_rs256_key: is no public RSA key/],
    ['RS256', kRsa.privateKey, /auth\.jwt_rs256_key: is no public RSA key/],
  ]) {
    const env = { [`SIGNALBOX_AUTH_JWT_${name}_KEY`]: value };
    const { code, stderr } = await runHostd({ 'listen.port': 0 }, { env });
    assert.notEqual(code, 0);
    assert.match(stderr, pattern);
    assert.ok(!stderr.includes('too short') && !stderr.includes('BEGIN'), 'no key is logged');
  }
});
