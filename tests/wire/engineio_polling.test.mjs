// Engine.IO over polling: payloads, requests that overlap or break off, close and noop, the largest
// payload, and connections that pipeline.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { startPatientEcho } from '../lib/apps.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawConnection, RawPolling, sessionLives } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

const kUnknown = { code: 1, message: 'Session ID unknown' };
const kMaxPayload = 1000000;
// What is pipelined behind a body libwebsockets 4.3 takes for a part of it: the connection ends with the
// answer then.
const kLibwebsockets = execFileSync('pkg-config', ['--modversion', 'libwebsockets'], { encoding: 'utf8' });
const kReadsBeyondBodies = !kLibwebsockets.startsWith('4.1.');

let echo;
before(async () => {
  echo = await startPatientEcho();
});
after(() => echo.stop());

const assertOver = async (polling) => {
  const { status, json } = await polling.poll();
  assert.deepEqual([status, json], [400, kUnknown]);
};

// A poll that the server is known to hold: its connection, and the answer to come.
async function heldPoll(polling) {
  const connection = await RawConnection.open(echo.port);
  connection.write(getOf(polling.path));
  // The server reads in turn: what it answers a later connection, it answers after it has seen this one.
  await sessionLives(echo, polling.sid);
  return connection;
}

const getOf = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const postOf = (path, body) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain;charset=UTF-8\r\n` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

for (const [name, payload] of [
  ['one packet', '4hello'],
  ['an empty message', '4'],
  ['several packets', '4one\x1e4two\x1e4\x1e4three'],
  ['text of every width', '4aé€😀\u2028\0'],
  ['text and binary in turn', '4a\x1ebAQID\x1e4b\x1ebBA==\x1e4bAQID'],
  ['many packets', Array.from({ length: 2000 }, (_, number) => `4${number}`).join('\x1e')],
]) {
  test(`a payload with ${name} comes back as it was`, async () => {
    const polling = await RawPolling.open(echo);
    const { status, text, headers } = await polling.post(payload);
    assert.deepEqual([status, text], [200, 'ok']);
    assert.equal(headers['content-type'], 'text/html');
    const answer = await polling.poll();
    assert.equal(answer.text, payload);
    assert.equal(answer.headers['content-type'].toLowerCase(), 'text/plain; charset=utf-8');
  });
}

test('binary of every byte and every length of padding is base64 both ways', async () => {
  const polling = await RawPolling.open(echo);
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  for (const bytes of [
    ...[0, 1, 2, 3, 4, 5].map((length) => all.subarray(250 - length, 250)),
    all,
  ]) {
    const packet = `b${bytes.toString('base64')}`;
    await polling.post(packet);
    assert.equal(await polling.take(), packet);
  }
});

for (const payload of [
  'abc',
  '',
  '7',
  '9x',
  '\x1e',
  '4a\x1e',
  '\x1e4a',
  '4a\x1e\x1e4b',
  'b!!!!',
  'bAQID====',
  '4a\x1ez',
  Buffer.from([0x34, 0xff]),
]) {
  test(`the invalid payload ${JSON.stringify(payload.toString())} closes the session`, async () => {
    const polling = await RawPolling.open(echo);
    const waiting = polling.poll();
    await sessionLives(echo, polling.sid);
    assert.equal((await polling.post(payload)).status, 400);
    // What came before the invalid packet was echoed, and ended the poll.
    assert.match((await waiting).text, /^(1|4a)$/);
    await assertOver(polling);
  });
}

test('binary that is not in base64 closes the session', async () => {
  const polling = await RawPolling.open(echo);
  const { status } = await polling.post('4abc', { 'Content-Type': 'application/octet-stream' });
  assert.equal(status, 400);
  await assertOver(polling);
});

test('a ping from the client closes the session: since revision 4 the server pings', async () => {
  const polling = await RawPolling.open(echo);
  await polling.post('2');
  await assertOver(polling);
});

test('packets that mean nothing here are passed over', async () => {
  const polling = await RawPolling.open(echo);
  assert.equal((await polling.post('6\x1e5\x1e3\x1e4next')).status, 200);
  assert.equal(await polling.take(), '4next');
});

test('polls that overlap: the first is told the end, the second is refused', async () => {
  const polling = await RawPolling.open(echo);
  const first = await heldPoll(polling);
  const second = await polling.poll();
  assert.deepEqual([second.status, second.json.code], [400, 3]);
  const { status, text } = await first.answer();
  assert.deepEqual([status, text], [200, '1']);
  await assertOver(polling);
  first.close();
});

test('posts that overlap: the second is refused and the poll is told the end', async () => {
  const polling = await RawPolling.open(echo);
  const poll = await heldPoll(polling);
  const first = await RawConnection.open(echo.port);
  first.write(`POST ${polling.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4ha`);
  await sessionLives(echo, polling.sid);
  const second = await polling.post('4x');
  assert.deepEqual([second.status, second.json.code], [400, 3]);
  assert.equal((await poll.answer()).text, '1');
  await assertOver(polling);
  first.close();
  poll.close();
});

test('a poll and a post overlap as a matter of course, many times', async () => {
  const polling = await RawPolling.open(echo);
  for (let number = 0; number < 50; number++) {
    const poll = polling.poll();
    assert.equal((await polling.post(`4${number}`)).status, 200);
    assert.equal((await poll).text, `4${number}`);
  }
});

test('a close packet ends the open poll with a noop, and the session', async () => {
  const polling = await RawPolling.open(echo);
  const poll = await heldPoll(polling);
  assert.equal((await polling.post('1')).status, 200);
  assert.equal((await poll.answer()).text, '6');
  await assertOver(polling);
  poll.close();
});

test('nothing behind a close packet is taken', async () => {
  const polling = await RawPolling.open(echo);
  const poll = await heldPoll(polling);
  await polling.post('1\x1e4too late');
  assert.equal((await poll.answer()).text, '6');
  await assertOver(polling);
  poll.close();
});

for (const end of ['close', 'reset']) {
  test(`a client that goes in the middle of a poll (${end}) ends its session`, async () => {
    const polling = await RawPolling.open(echo);
    const poll = await heldPoll(polling);
    poll[end]();
    await eventually(() => sessionLives(echo, polling.sid).then((lives) => !lives), 'the end', 250);
    await assertOver(polling);
  });
}

test('a client that goes in the middle of a post leaves the session and nothing of the post', async () => {
  const polling = await RawPolling.open(echo);
  const broken = await RawConnection.open(echo.port);
  broken.write(`POST ${polling.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4half`);
  await sessionLives(echo, polling.sid);
  broken.reset();
  await sessionLives(echo, polling.sid);
  assert.equal((await polling.post('4whole')).status, 200);
  assert.equal(await polling.take(), '4whole');
});

test('a payload of maxPayload bytes passes, one more byte is refused', async () => {
  const polling = await RawPolling.open(echo);
  const largest = `4${'x'.repeat(kMaxPayload - 1)}`;
  assert.equal((await polling.post(largest)).status, 200);
  assert.equal((await polling.poll()).text, largest);
  assert.equal((await polling.post(`${largest}y`)).status, 413);
});

test('maxPayload counts the bytes of a body without a length too', async () => {
  for (const [size, expected] of [
    [kMaxPayload, 200],
    [kMaxPayload + 1, 413],
  ]) {
    const polling = await RawPolling.open(echo);
    const connection = await RawConnection.open(echo.port);
    const body = `4${'x'.repeat(size - 1)}`;
    connection.write(
      `POST ${polling.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    assert.equal((await connection.answer()).status, expected);
    connection.close();
  }
});

test('polls and handshakes that are pipelined are all answered, in order', async () => {
  const polling = await RawPolling.open(echo);
  const handshake = `GET ${echo.path}?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n`;
  await polling.post('4waiting');
  const connection = await RawConnection.open(echo.port);
  connection.write(handshake.repeat(5) + getOf(polling.path) + handshake.repeat(5));
  const ids = new Set();
  for (let count = 0; count < 11; count++) {
    const { status, text } = await connection.answer();
    assert.equal(status, 200);
    if (count === 5) assert.equal(text, '4waiting');
    else ids.add(JSON.parse(text.slice(1)).sid);
  }
  assert.equal(ids.size, 10);
  connection.close();
});

test('a poll that is pipelined behind its post gets the echo, again and again', async () => {
  const polling = await RawPolling.open(echo);
  let connection = await RawConnection.open(echo.port);
  for (let number = 0; number < 20; number++) {
    connection.write(postOf(polling.path, `4${number}`) + getOf(polling.path));
    assert.equal((await connection.answer()).text, 'ok');
    if (kReadsBeyondBodies) {
      assert.equal(await connection.answer(), null); // so that the client asks again
      connection = await RawConnection.open(echo.port);
      connection.write(getOf(polling.path));
    }
    assert.equal((await connection.answer()).text, `4${number}`);
  }
  connection.close();
});

test('a post that is sent behind a waiting poll is taken when the poll is answered', async () => {
  const polling = await RawPolling.open(echo);
  const connection = await heldPoll(polling);
  connection.write(postOf(polling.path, '4behind'));
  await polling.post('4from elsewhere');
  assert.equal((await connection.answer()).text, '4from elsewhere');
  assert.equal((await connection.answer()).text, 'ok');
  connection.write(getOf(polling.path));
  assert.equal((await connection.answer()).text, '4behind');
  connection.close();
});

test('a post in one packet with the one before it is taken whole or not at all', async () => {
  // libwebsockets misreads such a request, so the connection may end; a client sends it again.
  const polling = await RawPolling.open(echo);
  const connection = await RawConnection.open(echo.port);
  connection.write(postOf(polling.path, '4first') + postOf(polling.path, '4second'));
  assert.equal((await connection.answer()).text, 'ok');
  const again = (await connection.answer()) === null;
  if (again) assert.equal((await polling.post('4second')).text, 'ok');
  assert.equal((await polling.poll()).text, '4first\x1e4second');
  connection.close();
});

test('a POST to a session that is over is answered, and nothing of it is taken', async () => {
  const server = await startServer({
    'engineio.ping_interval': 60000,
    'engineio.ping_timeout': 400,
  });
  for (const body of ['40', '2', '1', '3', Array(600).fill('6').join('\x1e')]) {
    const polling = await RawPolling.connect(server);
    await polling.post('4garbage'); // its farewell waits for a poll
    const { status, text } = await polling.post(body);
    assert.deepEqual([status, text], [200, 'ok']);
    // A pong would have bought it a minute.
    await eventually(async () => !(await sessionLives(server, polling.sid)), 'its end');
  }
  await server.stop();
});
