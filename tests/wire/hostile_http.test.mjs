// Hostile calls of the HTTP API: bodies, values, methods and paths that nobody should send. The reference
// backend is Express; where it answers otherwise, a row says what.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { longRoom } from '../lib/clients.mjs';
import { get, post, request } from '../lib/http.mjs';
import { startWitnessed } from '../lib/witnessed.mjs';

let server;
before(async () => {
  server = await startWitnessed();
});
after(() => server.stop());

const keys = async () => (await server.redis.command('KEYS', '*')).sort();

const kCreate = '/api/create_room';
const kCheck = '/api/check_room';
const kLeave = '/api/leave_room';
const kTrack = '/api/set_track';
const kLog = '/api/logs_debug';

const kMissing = { error: 'Room ID is required' };
const kLeaveMissing = { error: 'Room ID and Socket ID are required' };
const kNoObject = { error: 'The body must be a JSON object' };
const kRule = /^\{"error":"roomId must be/;
const kRefused = /^\{"success":false,"error":"/;
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const manyKeys = (last) =>
  `{${Array.from({ length: 9000 }, (_, i) => `"k${i}":0,`).join('')}${last}}`.replace(
    /\d{4}":/g,
    '":',
  );

// A call that must leave nothing in Redis.
async function assertRefused({ path, body, headers, status, expected }) {
  const before = await keys();
  const answer = await post(server, path, body, headers);
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/json/);
  if (expected instanceof RegExp) assert.match(answer.text, expected);
  else assert.deepEqual(answer.json, expected);
  assert.ok(!answer.text.includes('hostile'), 'nothing of the request is repeated');
  assert.deepEqual(await keys(), before);
  await server.assertUnharmed();
}

for (const [path, name, body, status, expected, reference] of [
  [kCreate, 'an array', '[]', 400, kNoObject, '400 for the room id'],
  [kCreate, 'an array of rooms', '[{"roomId":"hostile"}]', 400, kNoObject, '400 for the room id'],
  [kCreate, 'a number', '7', 400, kNoObject, '400 in HTML'],
  [kCreate, 'a text', '"hostile"', 400, kNoObject, '400 in HTML'],
  [kCreate, 'null', 'null', 400, kNoObject, '400 in HTML'],
  [kCreate, 'half an object', '{"roomId":"hostile"', 400, kNoObject, '400 in HTML'],
  [kCreate, 'two objects', '{"roomId":"hostile"}{}', 400, kNoObject, '400 in HTML'],
  [kCreate, 'a byte order mark', '\ufeff{"roomId":"hostile"}', 400, kNoObject, 'it is passed over'],
  [kCreate, 'white space', ' \r\n\t ', 400, kNoObject, '400 in HTML'],
  [kCreate, 'NUL', '\0', 400, kNoObject, '400 in HTML'],
  [kCreate, 'nesting without end', '{"a":'.repeat(20000), 400, kNoObject, '400 in HTML'],
  [kCreate, 'much nesting', `{"a":${nested(5000)},"roomId":"hostile"}`, 400, kNoObject, '200'],
  [kCreate, 'no room id', '{}', 400, kMissing],
  [kCreate, 'a room id of another case', '{"roomid":"hostile"}', 400, kMissing],
  [kCreate, 'a room id of null', '{"roomId":null}', 400, kMissing],
  [kCreate, 'an empty room id', '{"roomId":""}', 400, kMissing],
  [kCreate, 'a room id by prototype', '{"__proto__":{"roomId":"hostile"}}', 400, kMissing],
  [kCreate, 'a room id in an array', '{"roomId":["hostile"]}', 400, kRule, '200'],
  [kCreate, 'a room id in an object', '{"roomId":{"hostile":1}}', 400, kRule, '200'],
  [kCreate, 'a number as room id', '{"roomId":5}', 400, kRule, '200'],
  [kCreate, 'true as room id', '{"roomId":true}', 400, kRule, '200'],
  [kCreate, 'zero as room id', '{"roomId":0}', 400, kRule, '400 for none'],
  [kCreate, 'NUL in a room id', '{"roomId":"hostile\\u0000x"}', 400, kRule, '200'],
  [kCreate, 'a line break in a room id', '{"roomId":"hostile\\r\\nX: y"}', 400, kRule, '200'],
  [kCreate, 'a lone surrogate', '{"roomId":"hostile\\ud800"}', 400, kRule, '200'],
  [kCreate, 'a room id of 90 kB', `{"roomId":"${'x'.repeat(90000)}"}`, 400, kRule, '200'],
  [kCreate, 'thousands of keys and no room', manyKeys('"a":1'), 400, kMissing],
  [kCreate, 'two room ids, the last one bad', '{"roomId":"hostile","roomId":5}', 400, kRule, '200'],
  [kCheck, 'an array', '[]', 400, kNoObject, '400 for the room id'],
  [kCheck, 'a room id in an array', '{"roomId":["hostile"]}', 400, kRule],
  [kLeave, 'an array', '[]', 400, kNoObject],
  [kLeave, 'no socket id', '{"roomId":"hostile"}', 400, kLeaveMissing],
  [kLeave, 'no room id', '{"socketId":"hostile"}', 400, kLeaveMissing],
  [kLeave, 'a socket id of null', '{"roomId":"hostile","socketId":null}', 400, kLeaveMissing],
  [kLeave, 'an object as socket id', '{"roomId":"hostile","socketId":{}}', 400, kLeaveMissing],
  [kLeave, 'an array as socket id', '{"roomId":"hostile","socketId":["x"]}', 400, kLeaveMissing],
  [kTrack, 'an array', '[]', 400, kNoObject],
  [kTrack, 'no ref', '{"timestamp":1}', 400, kRefused],
  [kTrack, 'an object as ref', '{"ref":{},"timestamp":1}', 400, kRefused],
  [kTrack, 'a ref of 10 kB', `{"ref":"${'x'.repeat(10000)}","timestamp":1}`, 400, kRefused],
  [kTrack, 'no timestamp', '{"ref":"hostile"}', 400, kRefused, '500'],
  [kTrack, 'a timestamp of 1e400', '{"ref":"hostile","timestamp":1e400}', 400, kRefused, '500'],
  [kTrack, 'a timestamp of -1e17', '{"ref":"hostile","timestamp":-1e17}', 400, kRefused, '500'],
  [kTrack, 'a timestamp of null', '{"ref":"hostile","timestamp":null}', 400, kRefused],
  [kTrack, 'a timestamp of true', '{"ref":"hostile","timestamp":true}', 400, kRefused],
  [kTrack, 'an array as timestamp', '{"ref":"hostile","timestamp":[1]}', 400, kRefused],
  [
    kTrack,
    'a day that is none',
    '{"ref":"hostile","timestamp":"2024-02-30T00:00:00Z"}',
    400,
    kRefused,
  ],
  [
    kTrack,
    'a key as timestamp',
    '{"ref":"hostile","timestamp":"2024-01-01\\r\\n"}',
    400,
    kRefused,
    '500',
  ],
  [kLog, 'an array', '[]', 400, kNoObject],
  [kLog, 'half an object', '{"message":"hostile"', 400, kNoObject, '400 in HTML'],
]) {
  test(`${path} with ${name}: ${status}${reference ? ` (the reference: ${reference})` : ''}`, () =>
    assertRefused({ path, body, status, expected }));
}

for (const type of [
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/jsonx',
  'application/jso',
  'multipart/form-data; boundary=x',
  'x, application/json',
  '',
]) {
  test(`a body of the type "${type}" is not read`, () =>
    assertRefused({
      path: kCreate,
      body: '{"roomId":"hostile"}',
      headers: { 'Content-Type': type },
      status: 400,
      expected: kMissing,
    }));
}

test('a body of 120 kB: 413 (the reference: in HTML)', () =>
  assertRefused({
    path: kCreate,
    body: `{"roomId":"${'x'.repeat(120000)}"}`,
    status: 413,
    expected: { error: 'Payload too large' },
  }));

// What is odd, and yet a room id like any other.
for (const [name, body, roomId] of [
  ['two room ids: the last one', '{"roomId":5,"roomId":"ROOM"}'],
  ['a name that is escaped', '{"room\\u0049d":"ROOM"}'],
  ['thousands of keys beside it', manyKeys('"roomId":"ROOM"')],
  ['a prototype beside it', '{"__proto__":{"roomId":5},"roomId":"ROOM"}'],
  ['a key of Redis', '{"roomId":"ROOM:sockets"}', ':sockets '],
  ['a pattern of Redis', '{"roomId":"ROOM*?[a-z]"}', '*?[a-z]'],
  ['a command of Redis', '{"roomId":"ROOM;FLUSHALL"}', ';FLUSHALL'],
  ['a format', '{"roomId":"ROOM%s%n%00"}', '%s%n%00'],
]) {
  test(`a room by ${name}`, async () => {
    const room = longRoom();
    const before = await keys();
    const { status, json } = await post(server, kCreate, body.replaceAll('ROOM', room));
    assert.deepEqual([status, json.success], [200, true]);
    const fresh = (await keys()).filter((key) => !before.includes(key));
    assert.deepEqual(fresh, [`room:${room}${roomId ?? ''}`]);
    await server.assertUnharmed();
  });
}

test('leave_room for sockets that never were changes nothing', async () => {
  const roomId = longRoom();
  await post(server, kCreate, { roomId });
  const before = await keys();
  for (const socketId of [
    '*',
    'a\r\nb',
    'a\0b',
    'x'.repeat(90000),
    roomId,
    `room:${roomId}`,
    '😀',
  ]) {
    const { status, json } = await post(server, kLeave, { roomId, socketId });
    assert.deepEqual([status, json.success], [200, true], socketId.slice(0, 20));
    assert.deepEqual(await keys(), before);
  }
  await server.assertUnharmed();
});

test('set_track takes any text as ref, and none of it as a key', async () => {
  const timestamp = Date.now();
  const day = `referrers:daily:${new Date(timestamp).toISOString().slice(0, 10)}`;
  for (const ref of ['a\r\nDEL x', 'a\0b', '__proto__', '*', '%s%n', '😀'.repeat(64), ' ']) {
    const before = (await keys()).filter((key) => key !== day);
    const path = 'x\r\n'.repeat(1000);
    const { status, json } = await post(server, kTrack, { ref, timestamp, path });
    assert.deepEqual([status, json], [200, { success: true }]);
    assert.equal(await server.redis.command('HGET', day, ref), '1');
    assert.deepEqual(
      (await keys()).filter((key) => key !== day),
      before,
    );
  }
  await server.assertUnharmed();
});

test('logs_debug logs one line, whatever the values are', async () => {
  let number = 0;
  for (const body of [
    '{}',
    '',
    '{"message":"a\\r\\nb\\u2028c\\u0085d\\u0000e\\u001b[31mf\\u007fg","timestamp":"1\\n2"}',
    '{"message":{"a":["x\\ny"]},"timestamp":[]}',
    '{"message":null,"timestamp":true}',
    `{"message":"${'x'.repeat(90000)}","timestamp":"${'\\n'.repeat(3000)}"}`,
    `{"message":"${'\\u0000'.repeat(10000)}"}`,
    '{"message":"\\ud800","timestamp":"\\udfff"}',
    '{"message":"%s%n{}","timestamp":1e400}',
  ]) {
    const { status, json } = await post(server, kLog, body);
    assert.deepEqual([status, json], [200, { success: true }], body.slice(0, 50));
    await post(server, kLog, { message: `fence ${++number}`, timestamp: 0 });
    await server.hostd.logged(new RegExp(`message:fence ${number}"$`));
  }
  const lines = server.hostd.log.split('\n').filter((line) => line.includes('logs----'));
  assert.equal(lines.length, 2 * number);
  for (const line of lines) {
    assert.ok(line.length < 40000, `a line of ${line.length} characters`);
    assert.doesNotMatch(line, /[\x00-\x08\x0b-\x1f\x7f]/);
  }
  await server.assertUnharmed();
});

const kPosts = [kCreate, kCheck, kLeave, kTrack, kLog];
const kGets = ['/api/get_room', '/health', '/api/health', '/health/detailed'];
for (const method of ['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE']) {
  test(`${method} of every path`, async () => {
    for (const path of [...kPosts, ...kGets, '/', '/nowhere']) {
      const { status, text } = await request(server, method, path, {
        headers: { Connection: 'close', Origin: 'https://evil.example' },
      });
      const known = !['/', '/nowhere'].includes(path);
      const expected =
        {
          HEAD: kGets.includes(path) ? 200 : known ? 405 : 404,
          OPTIONS: 204,
          TRACE: 501,
        }[method] ?? (known ? 405 : 404);
      assert.equal(status, expected, path);
      if (method === 'HEAD') assert.equal(text, '');
    }
    await server.assertUnharmed();
  });
}

const kCut = 'libwebsockets keeps pieces; Express: 404';
const kEncoded = 'libwebsockets answers it, in HTML';
for (const [path, status, why] of [
  ['/api/get_room/', 200],
  ['/api/get_room//', 200, 'Express: 404'],
  ['/API/Get_Room', 200],
  ['/api/get%5Froom', 200, 'Express: 404'],
  ['/%61pi/get_room', 200, 'Express: 404'],
  ['/api%2Fget_room', 200, 'Express: 404'],
  ['/api/../health', 200, 'Express: 404'],
  ['/api/./get_room', 200, 'Express: 404'],
  ['/%2e%2e/%2e%2e/health', 200, 'Express: 404'],
  ['//health', 200, 'Express: 404'],
  ['/api/get_room%00', 400, 'Express: 404'],
  ['/api/get_room%20', 404],
  ['/api/get_room%0a', 400, 'Express: 404'],
  ['/api/get_room;x', 400, kCut],
  ['/api/get_room&x', 400, kCut],
  [`/health${';'.repeat(50)}`, 400, kCut],
  ['/api/get_room%3Bx', 404],
  ['/api/get_room%26x', 404],
  ['/api/get_room%3Fx', 404],
  ['/api/%', 403, kEncoded],
  ['/api/%zz', 403, kEncoded],
  ['/api/%c0%af', 404],
  ['/<script>alert(1)</script>', 404],
  ['/%3Cscript%3Ealert(1)%3C/script%3E', 404],
  ['/?a[]=1&a[]=2&a[b]=c&__proto__[x]=y', 404],
  ['/health?a[]=1&a[b]=c&__proto__[x]=y', 200],
]) {
  test(`GET ${path}: ${status ?? 'the end'}${why ? ` (${why})` : ''}`, async () => {
    const answer = await get(server, path).catch((error) => {
      assert.match(error.code, /ECONNRESET|HPE/);
      return { status: null, text: '' };
    });
    assert.equal(answer.status, status);
    assert.doesNotMatch(answer.text, /script|alert/, 'nothing of the request is repeated');
    await server.assertUnharmed();
  });
}
