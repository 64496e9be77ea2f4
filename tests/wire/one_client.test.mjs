// What one client could do to stop the server for all: each case did, once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { joined, longRoom, meet } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { RawConnection, RawPolling } from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';

let server;
before(async () => {
  server = await startServer({ 'http.request_timeout': 1000 });
});
after(() => server.stop());

const create = (roomId) => server.redis.command('HSET', `room:${roomId}`, 'created_at', '1');
const lives = async () => assert.equal((await get(server, '/health')).status, 200);
const kGet = 'GET /api/get_room HTTP/1.1\r\nHost: x\r\n\r\n';
const postOf = (body) =>
  'POST /api/check_room HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
  `Content-Length: ${body.length}\r\n\r\n${body}`;

test('an answer that is one too many for a client that does not poll: to CONNECT', async () => {
  const tight = await startServer({ 'engineio.max_buffered': 8000 });
  // Refusals of "/a" fill its queue; with one of these numbers to within less than the answer to "40".
  for (let count = 60; count < 260; count++) {
    const polling = await RawPolling.open(tight);
    await polling.post(`${'40/a,\x1e'.repeat(count)}40`);
  }
  assert.equal((await get(tight, '/health')).status, 200);
  await tight.stop();
});

test('an answer that is one too many for a client that does not poll: to join', async () => {
  const tight = await startServer({ 'engineio.max_buffered': 8000 });
  const { roomId, peers, close } = await meet(tight, 1);
  const polling = await RawPolling.connect(tight);
  await polling.post(Array(300).fill(`42["join",{"roomId":"${roomId}"}]`).join('\x1e'));
  await eventually(async () => (await polling.poll()).status === 400, 'the end of the session');
  // Were the socket still in the room, this would be sent to it.
  assert.deepEqual(await peers[0].join(roomId), joined(roomId));
  assert.equal((await get(tight, '/health')).status, 200);
  await close();
  await tight.stop();
});

for (const [name, bytes] of [
  ['behind an answer that comes late', kGet + postOf('{"roomId":"x"}')],
  ['several', (kGet + postOf('{"roomId":"x"}')).repeat(3)],
  [
    'behind a body that was refused',
    'POST /api/check_room HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      `Content-Length: 200000\r\n\r\n${'y'.repeat(200000)}${postOf('{"roomId":"x"}').repeat(2)}`,
  ],
]) {
  for (const end of ['left open', 'half-closed']) {
    test(`pipelined requests with a body: ${name}, ${end}`, async () => {
      const connection = await RawConnection.open(server.port);
      connection.write(bytes);
      if (end === 'half-closed') connection.socket.end();
      await connection.answer();
      await lives();
      connection.close();
    });
  }
}

test('an unread answer, with a request with a body behind it', async () => {
  const roomId = longRoom();
  await create(roomId);
  const connection = await RawConnection.open(server.port);
  connection.socket.pause();
  for (let i = 0; i < 50; i++) connection.write(kGet.repeat(400));
  connection.write(postOf('{"roomId":"x"}'));
  connection.socket.end();
  await lives();
  connection.socket.destroy();
  await lives();
});

test('CONNECT is turned away', async () => {
  const connection = await RawConnection.open(server.port);
  connection.write('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal((await connection.answer()).status, 501);
  await within(connection.closed, 'end of the connection');
});

test('a body that trickles in is cut off at the deadline of its request', async () => {
  const connection = await RawConnection.open(server.port);
  connection.write(postOf(`{"roomId":"${'x'.repeat(60)}"}`).slice(0, -50));
  const trickle = setInterval(() => connection.write('x'), 200);
  assert.equal(await connection.answer(), null);
  clearInterval(trickle);
});

test('framing that a proxy may read otherwise is refused', async () => {
  for (const field of [
    'Transfer-Encoding : chunked',
    'Content-Length : 5',
    `Content-Length: ${'0'.repeat(40)}5`,
  ]) {
    const connection = await RawConnection.open(server.port);
    connection.write(`POST /api/check_room HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\nabcde`);
    assert.equal((await connection.answer())?.status, 400, field);
    connection.close();
  }
});

test('sessions are bounded as connections are', async () => {
  const small = await startServer({ 'limits.connections': 20 });
  const answers = [];
  for (let i = 0; i < 25; i++) {
    answers.push((await get(small, '/socket.io/?EIO=4&transport=polling')).status);
  }
  assert.deepEqual(answers, [...Array(20).fill(200), ...Array(5).fill(503)]);
  await small.stop();
});
