// Hostile polling: payloads and bodies of a POST, framed in every wrong way, and clients that do not poll.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meet } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawConnection, RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';
import { startWitnessed } from '../lib/witnessed.mjs';

let server;
before(async () => {
  server = await startWitnessed();
});
after(() => server.stop());

const kMaxPayload = 1000000;

// Ends the session if it lives, and fails unless that is as expected.
async function assertLives(polling, lives) {
  assert.equal(await sessionLives(server, polling.sid), lives, 'the session lives');
  if (lives) assert.equal((await polling.post('1')).status, 200);
  await server.assertUnharmed();
}

// engine.io answers "ok" whatever the payload is; the sessions that we close it closes, too, unless
// a reason is given.
const bytes = (...values) => Buffer.from(values);
const kReplaces = 'it reads U+FFFD';
for (const [name, payload, lives, why] of [
  ['nothing', '', false],
  ['a separator', '\x1e', false],
  ['a million separators', '\x1e'.repeat(kMaxPayload), false],
  ['100,000 tiny packets', Array(100000).fill('3').join('\x1e'), true],
  ['100,000 tiny packets and an invalid one', `${'3\x1e'.repeat(100000)}x`, false],
  ['an unknown type', '7', false],
  ['no type', 'z', false],
  ['NUL', '\0', false],
  ['bad base64', 'b!!!!', false],
  ['base64 that is all padding', 'b====', false],
  ['binary that nobody announced', 'bAAAA', false],
  ['half a UTF-8 sequence', bytes(0x33, 0xe2, 0x82), false, kReplaces],
  ['a lone surrogate', bytes(0x33, 0xed, 0xa0, 0x80), false, kReplaces],
  ['an overlong sequence', bytes(0x33, 0xc0, 0xaf), false, kReplaces],
  ['a byte order mark', '\ufeff3', false],
  ['a byte order mark in a pong', '3\ufeff', true],
  ['two pongs', '3\x1e3', true],
  ['a ping', '2', false],
  ['a probe', '2probe', false],
  ['what a server sends', '0{}\x1e6', true],
  ['an upgrade', '5', true],
  ['an empty message', '4', false],
  ['an event before CONNECT', '42["x"]', false],
  ['a close packet', '1', false],
  ['a packet behind the close packet', '140\x1e40', false],
]) {
  test(`a POST of ${name}: the session ${lives ? 'lives' : 'ends'}${why ? ` (other than engine.io: ${why})` : ''}`, async () => {
    const polling = await RawPolling.open(server);
    const { status } = await polling.post(payload);
    assert.ok([200, 400].includes(status), `${status}`);
    if (lives) assert.equal(status, 200);
    // What Socket.IO cannot read ends a session with the next poll, as upstream.
    if (!lives && (await sessionLives(server, polling.sid))) {
      assert.match((await polling.poll()).text, /^(6\x1e)?1$/);
    }
    await assertLives(polling, lives);
  });
}

const postOf = (path, head, body = '') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain;charset=UTF-8\r\n${head}\r\n\r\n${body}`;
const chunk = (data) => `${data.length.toString(16)}\r\n${data}\r\n`;
const kChunked = 'Transfer-Encoding: chunked';
const kLast = chunk('');

// Whatever the answer, the session lives: a broken request is none of it. engine.io ends a session whose
// POST breaks off, waits for a body that is too large, and passes over a coding that it does not know.
for (const [name, head, body, status] of [
  ['a length', 'Content-Length: 1', '3', 200],
  ['the same length twice', 'Content-Length: 1\r\nContent-Length: 1', '3', 400],
  ['two lengths', 'Content-Length: 1\r\nContent-Length: 2', '33', 400],
  ['a list of lengths', 'Content-Length: 1, 1', '3', 400],
  ['a negative length', 'Content-Length: -1', '3', 400],
  ['a length with a sign', 'Content-Length: +1', '3', 400],
  ['a hexadecimal length', 'Content-Length: 0x1', '3', 400],
  ['a length that is no number', 'Content-Length: one', '3', 400],
  ['a length beyond 64 bits', `Content-Length: ${'9'.repeat(30)}`, '3', 400],
  ['a length of 2^63', 'Content-Length: 9223372036854775808', '3', 413],
  ['a length of maxPayload + 1 and no body', `Content-Length: ${kMaxPayload + 1}`, '', 413],
  ['chunks', kChunked, chunk('3\x1e') + chunk('3') + kLast, 200],
  ['chunks with extensions and trailers', kChunked, '1;a=b\r\n3\r\n0\r\nz: y\r\n\r\n', 200],
  ['chunks in capitals', 'Transfer-Encoding: CHUNKED', chunk('3') + kLast, 200],
  ['a chunk without a size', kChunked, '\r\n3\r\n', 400],
  ['a chunk size that is no number', kChunked, 'x\r\n3\r\n', 400],
  ['a negative chunk size', kChunked, '-1\r\n3\r\n', 400],
  ['a chunk size beyond 64 bits', kChunked, `${'f'.repeat(17)}\r\n3`, 400],
  ['a chunk size of 2^64 - 1', kChunked, `${'f'.repeat(16)}\r\n3`, 400],
  ['a chunk that is longer than its size', kChunked, '1\r\n33\r\n', 400],
  ['chunks without end', kChunked, chunk('3'.repeat(50000)).repeat(21), 413],
  ['tiny chunks without end', kChunked, '1\r\n3\r\n'.repeat(kMaxPayload + 1), 413],
  ['a chunk extension without end', kChunked, `1;${'x'.repeat(100000)}`, 400],
  ['trailers without end', kChunked, `${chunk('3')}0\r\n${'z: y\r\n'.repeat(20000)}`, 400],
  ['a length and chunks', `Content-Length: 1\r\n${kChunked}`, chunk('3') + kLast, 400],
  ['chunks twice', `${kChunked}\r\n${kChunked}`, chunk('3') + kLast, 400],
  ['gzip', 'Transfer-Encoding: gzip, chunked', chunk('3') + kLast, 400],
  ['identity', 'Transfer-Encoding: identity', '3', 400],
  ['a broken name of its framing', 'Transfer-Encoding : chunked', chunk('3') + kLast, 400],
]) {
  test(`a POST with ${name}: ${status}`, async () => {
    const polling = await RawPolling.open(server);
    const connection = await RawConnection.open(server.port);
    connection.write(postOf(polling.path, head, body));
    assert.equal((await connection.answer())?.status, status);
    connection.close();
    await assertLives(polling, true);
  });
}

test('a body that is longer than its length is cut, and the rest is no request', async () => {
  const polling = await RawPolling.open(server);
  const connection = await RawConnection.open(server.port);
  connection.write(postOf(polling.path, 'Content-Length: 1', '3\x1e1'));
  assert.equal((await connection.answer()).text, 'ok');
  connection.socket.end();
  const next = await connection.answer();
  assert.ok(next === null || next.status >= 400, `${next?.status}`);
  await assertLives(polling, true);
});

for (const end of ['end', 'resetAndDestroy']) {
  test(`a body that ends before its length (${end}): nothing of it is taken`, async () => {
    const polling = await RawPolling.open(server);
    const connection = await RawConnection.open(server.port);
    connection.write(postOf(polling.path, 'Content-Length: 3', '1'));
    await sessionLives(server, polling.sid); // the server has seen it
    connection.socket[end]();
    await connection.closed;
    await eventually(async () => (await polling.post('3')).status === 200, 'another POST');
    await assertLives(polling, true);
  });
}

// CVE-2026-59725: what is refused by its type must not hold the connection for its body.
test('a POST of application/octet-stream is refused before its body comes, and ends the session', async () => {
  const polling = await RawPolling.open(server);
  const connection = await RawConnection.open(server.port);
  connection.write(
    `POST ${polling.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n` +
      'Content-Length: 900000\r\n\r\n',
  );
  assert.equal((await connection.answer())?.status, 400);
  connection.close();
  await assertLives(polling, false);
});

test('a body that trickles in is given up, its session is not', async () => {
  const hasty = await startServer({ 'http.request_timeout': 1000 });
  const polling = await RawPolling.open(hasty);
  const connection = await RawConnection.open(hasty.port);
  connection.write(postOf(polling.path, 'Content-Length: 100', '4'));
  const trickle = setInterval(() => connection.write('x'), 100);
  await within(connection.closed, 'the end of the connection');
  clearInterval(trickle);
  assert.equal((await polling.post('3')).status, 200);
  await hasty.stop();
});

// A member of a room on polling, and one on a WebSocket who sends to it.
async function meetOnPolling(options) {
  const own = await startServer(options);
  const {
    roomId,
    peers: [peer],
  } = await meet(own, 1);
  const polling = await RawPolling.connect(own);
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  assert.match(await polling.take(), /^42\["joinResponse",\{"success":true/);
  assert.deepEqual(await peer.take('ready'), { peerId: polling.id });
  const offer = (payload) => peer.emit('offer', { peerId: polling.id, offer: payload });
  return { own, peer, polling, offer };
}

// engine.io keeps all for ever, or until the ping timeout.
test('a client that never polls is given up when too much waits for it; its room is told', async () => {
  const { own, peer, polling, offer } = await meetOnPolling({ 'engineio.max_buffered': 1000000 });
  for (let number = 0; number < 10000; number++) offer('x'.repeat(200));
  assert.deepEqual(await peer.take('peer-disconnected'), { peerId: polling.id });
  assert.equal((await polling.poll()).json?.code, 1);
  await peer.close();
  await own.stop();
});

test('many messages wait for one poll, whole and in order', async () => {
  const kCount = 20000;
  const { own, peer, polling, offer } = await meetOnPolling();
  for (let number = 0; number < kCount; number++) offer(number);
  for (let number = 0; number < kCount; number++) {
    const packet = await polling.take();
    assert.equal(JSON.parse(packet.slice(2))[1].offer, number);
  }
  await peer.close();
  await own.stop();
});

test('polls that are aborted while messages are under way: one end, and nothing twice', async () => {
  const own = await startServer();
  for (let round = 0; round < 10; round++) {
    const {
      roomId,
      peers: [peer],
    } = await meet(own, 1);
    const polling = await RawPolling.connect(own);
    await polling.post(`42["join",{"roomId":"${roomId}"}]`);
    await polling.take();
    await peer.take('ready');
    const poll = await RawConnection.open(own.port);
    poll.write(`GET ${polling.path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await sessionLives(own, polling.sid);
    for (let number = 0; number < 20; number++)
      peer.emit('offer', { peerId: polling.id, offer: 1 });
    poll.reset();
    // The poll was answered before the reset, or the session has ended with it.
    const again = await polling.poll();
    assert.ok(again.status === 200 || again.json?.code === 1, again.text);
    if (again.status === 200) {
      for (const packet of again.text.split('\x1e')) assert.match(packet, /^42\["offer"/);
      await polling.post('1');
    }
    assert.deepEqual(await peer.take('peer-disconnected'), { peerId: polling.id });
    peer.assertEmpty();
    await peer.close();
  }
  await own.stop();
});

test('a hundred POSTs at once, and as many polls: one end of one session', async () => {
  const {
    roomId,
    peers: [peer],
    close,
  } = await meet(server, 1);
  const polling = await RawPolling.connect(server);
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  await polling.take();
  await peer.take('ready');
  const ws = await RawWebSocket.connect(server);
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => [polling.post('3'), polling.poll()]).flat(),
  );
  for (const { status } of answers) assert.ok([200, 400].includes(status), `${status}`);
  assert.deepEqual(await peer.take('peer-disconnected'), { peerId: polling.id });
  peer.assertEmpty();
  ws.close();
  await close();
  await assertLives(polling, false);
});
