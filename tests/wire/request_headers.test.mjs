// Request headers that are refused before libwebsockets reads them, as the first request of a
// connection and as a later one, and what could be smuggled past it otherwise.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { RawConnection, RawPolling, upgradeRequest } from '../lib/raw.mjs';
import { within } from '../lib/wait.mjs';

let server;
before(async () => {
  server = await startServer({ workers: 2 });
});
after(() => server.stop());

const kGet = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
const withLines = (...lines) =>
  ['GET /health HTTP/1.1', 'Host: x', ...lines, '', ''].join('\r\n');
const many = (count, line = 'Q: y') => Array(count).fill(line);

async function refusal(bytes, kept) {
  const connection = await RawConnection.open(server.port);
  if (kept) {
    connection.write(kGet);
    assert.equal((await connection.answer()).status, 200);
  }
  connection.write(bytes);
  const answer = await connection.answer();
  await within(connection.closed, 'end of the connection');
  return answer;
}

for (const kept of [false, true]) {
  const when = kept ? 'a later request' : 'the first request';

  for (const [name, bytes, status] of [
    ['too many lines', withLines(...many(100)), 431],
    ['a line that is too long', withLines(`Q: ${'y'.repeat(16384)}`), 431],
    ['lines that are too long together', withLines(...many(90, `Q: ${'y'.repeat(200)}`)), 431],
    ['headers without end', `GET / HTTP/1.1\r\n${'Q: y\r\n'.repeat(100000)}`, 431],
    ['a target that is too long', `GET /${'y'.repeat(17000)}`, 414],
    ['no Host', 'GET /health HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', withLines('Host: x'), 400],
    ['a space before a colon', withLines('Content-Length : 5'), 400],
    ['a line that is continued', withLines('Q: y', ' z'), 400],
    ['a bare line feed', withLines('Q: y\nZ: z'), 400],
    ['bare line feeds', 'GET /health HTTP/1.1\nHost: x\n\n', 400],
    ['a bare carriage return', withLines('Q: y\rZ: z'), 400],
    ['a NUL', withLines('Q: y\0'), 400],
    ['a line without a colon', withLines('Q'), 400],
    ['a name that is none', withLines('Q(): y'), 400],
    ['two lengths', withLines('Content-Length: 0', 'Content-Length: 0'), 400],
    ['a length and chunks', withLines('Content-Length: 0', 'Transfer-Encoding: chunked'), 400],
    ['another coding', withLines('Transfer-Encoding: gzip'), 400],
    ['an encoded line break', 'GET /%0aHost:%20y HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['an unknown method', 'BREW /health HTTP/1.1\r\nHost: x\r\n\r\n', 501],
    ['another version', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['a TLS handshake', Buffer.from('1603010200010001fc0303', 'hex'), 400],
    ['a PROXY header of somebody', `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${kGet}`, 400],
    ['a hidden line', withLines('X-Auth: a', 'Content-Length: 5'), 400],
  ]) {
    test(`${name}, in ${when}: ${status}`, async () => {
      const answer = await refusal(bytes, kept);
      assert.equal(answer?.status, status);
      assert.match(answer.head, /\r\ncontent-type: application\/json/i);
      assert.match(JSON.parse(answer.text).error, /^[\w ]+$/);
    });
  }

  test(`what is within the limits is served, in ${when}`, async () => {
    const connection = await RawConnection.open(server.port);
    if (kept) {
      connection.write(kGet);
      await connection.answer();
    }
    // 100 lines, Host among them, and all the room there is: libwebsockets must have it, too.
    const lines = many(98);
    const room = 16384 - withLines(...lines, 'Q: ').length;
    const bytes = withLines(...lines, `Q: ${'y'.repeat(room)}`);
    assert.equal(bytes.length, 16384);
    for (let i = 0; i < 3; i++) {
      connection.write(bytes);
      assert.equal((await connection.answer())?.status, 200);
    }
    connection.close();
  });

  test(`a header that comes byte by byte is served, in ${when}`, async () => {
    const connection = await RawConnection.open(server.port);
    if (kept) {
      connection.write(kGet);
      await connection.answer();
    }
    connection.socket.setNoDelay(true);
    for (const byte of kGet) {
      connection.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal((await connection.answer())?.status, 200);
    connection.close();
  });
}

test('nothing is smuggled behind a request: a header that hides a length from us', async () => {
  // To libwebsockets X-Auth runs on to the colon behind Content-Length, and the body is a request.
  const polling = await RawPolling.connect(server);
  const hidden = `GET ${polling.path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const bytes =
    'POST /api/check_room HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Auth: a\r\n' +
    `Content-Length: ${hidden.length}\r\n\r\n${hidden}`;
  for (const before of ['', kGet]) {
    const connection = await RawConnection.open(server.port);
    connection.write(before + bytes);
    const answers = [];
    for (let answer; (answer = await connection.answer()); ) answers.push(answer.status);
    assert.deepEqual(
      answers.filter((status) => status === 200).length,
      before ? 1 : 0,
      `${answers}`,
    );
  }
  assert.equal((await polling.post('40')).status, 200);
});

test('a malformed request right behind a good one is not served', async () => {
  for (const bad of [withLines('X-Auth: a', 'Q: y'), withLines('Q : y'), 'GET /health\n\n']) {
    const connection = await RawConnection.open(server.port);
    connection.write(kGet + bad + kGet);
    assert.equal((await connection.answer()).status, 200);
    const next = await connection.answer();
    assert.notEqual(next?.status, 200);
    assert.equal(await connection.answer(), null);
  }
});

test('what comes in one packet with a good request but is not whole ends the connection', async () => {
  // Nobody has looked at its rest when libwebsockets has its beginning.
  const connection = await RawConnection.open(server.port);
  connection.write(kGet + kGet.slice(0, 20));
  assert.equal((await connection.answer()).status, 200);
  assert.equal(await connection.answer(), null);
});

test('bytes glued to an upgrade request belong to the WebSocket', async () => {
  const connection = await RawConnection.open(server.port);
  const ping = Buffer.from([0x81, 0x86, 0, 0, 0, 0, ...Buffer.from('2probe')]);
  const upgrade = upgradeRequest(server.port, '/socket.io/?EIO=4&transport=websocket');
  connection.write(Buffer.concat([Buffer.from(upgrade), ping]));
  assert.equal((await connection.answer()).status, 101);
  connection.close();
  assert.equal((await get(server, '/health')).status, 200);
});

test('answers too large for one write keep the connection', async () => {
  const polling = await RawPolling.connect(server);
  const large = `4${'x'.repeat(100)}`;
  assert.equal((await polling.post(Array(500).fill(large).join('\x1e'))).status, 200);
  const connection = await RawConnection.open(server.port);
  for (let i = 0; i < 3; i++) {
    connection.write(kGet);
    assert.equal((await connection.answer()).status, 200);
  }
  connection.close();
});
