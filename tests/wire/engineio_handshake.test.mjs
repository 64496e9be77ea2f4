// How an Engine.IO session begins, on both transports: the open packet, every error code, and extensions
// that a client offers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEngineioEcho } from '../lib/apps.mjs';
import { Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { request } from '../lib/http.mjs';
import {
  kBinary,
  kClose,
  RawConnection,
  RawPolling,
  RawWebSocket,
  upgradeRequest,
} from '../lib/raw.mjs';

const kMessages = [
  'Transport unknown',
  'Session ID unknown',
  'Bad handshake method',
  'Bad request',
  'Forbidden',
  'Unsupported protocol version',
];

let echo;
let hostd; // for what the echo has no option for
before(async () => {
  [echo, hostd] = await Promise.all([startEngineioEcho(), startServer()]);
});
after(() => Promise.all([echo.stop(), hostd.stop()]));

test('the open packet of polling names its five fields and the way up', async () => {
  const { answer, opened } = await RawPolling.open(echo);
  assert.equal(answer.text[0], '0');
  assert.equal(answer.headers['content-type'].toLowerCase(), 'text/plain; charset=utf-8');
  assert.equal(answer.headers['cache-control'], 'no-store');
  const { sid, ...rest } = opened;
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, {
    upgrades: ['websocket'],
    pingInterval: 300,
    pingTimeout: 200,
    maxPayload: 1000000,
  });
});

test('the open packet of a WebSocket names its five fields and no way up', async () => {
  const ws = await RawWebSocket.open(echo);
  const text = await ws.takeText();
  assert.equal(text[0], '0');
  const { sid, ...rest } = JSON.parse(text.slice(1));
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, {
    upgrades: [],
    pingInterval: 300,
    pingTimeout: 200,
    maxPayload: 1000000,
  });
  ws.close();
});

test('no two sessions have one id', async () => {
  const opened = await Promise.all(Array.from({ length: 50 }, () => RawPolling.open(echo)));
  assert.equal(new Set(opened.map(({ sid }) => sid)).size, 50);
});

// By a plain request. SID stands for a session on polling.
for (const [name, method, query, code] of [
  ['no transport', 'GET', 'EIO=4', 0],
  ['an unknown transport', 'GET', 'EIO=4&transport=abc', 0],
  ['an unknown transport of a session', 'GET', 'EIO=4&transport=abc&sid=SID', 0],
  ['webtransport, which is not offered', 'GET', 'EIO=4&transport=webtransport', 0],
  ['an unknown session', 'GET', 'EIO=4&transport=polling&sid=nobody', 1],
  ['an unknown session in a POST', 'POST', 'EIO=4&transport=polling&sid=nobody', 1],
  ['a handshake by POST', 'POST', 'EIO=4&transport=polling', 2],
  ['a handshake by PUT', 'PUT', 'EIO=4&transport=polling', 2],
  ['a handshake by DELETE', 'DELETE', 'EIO=4&transport=polling', 2],
  ['websocket without an upgrade', 'GET', 'EIO=4&transport=websocket', 3],
  ['websocket without an upgrade of a session', 'GET', 'EIO=4&transport=websocket&sid=SID', 3],
  ['a session without its revision', 'GET', 'transport=polling&sid=SID', 3],
  ['a session with another revision', 'POST', 'EIO=3&transport=polling&sid=SID', 3],
  ['PUT of a session', 'PUT', 'EIO=4&transport=polling&sid=SID', 3],
  ['DELETE of a session', 'DELETE', 'EIO=4&transport=polling&sid=SID', 3],
  ['no revision', 'GET', 'transport=polling', 5],
  ['revision 3', 'GET', 'EIO=3&transport=polling', 5],
  ['revision 5', 'GET', 'EIO=5&transport=polling', 5],
  ['revision abc', 'GET', 'EIO=abc&transport=polling', 5],
]) {
  test(`a request with ${name}: error ${code}`, async () => {
    const polling = await RawPolling.open(echo);
    const path = `${echo.path}?${query.replace('SID', polling.sid)}`;
    const { status, headers, json } = await request(echo, method, path);
    assert.deepEqual([status, json], [400, { code, message: kMessages[code] }]);
    assert.match(headers['content-type'], /^application\/json/);
    assert.equal((await polling.post('4still here')).status, 200, 'the session is unharmed');
    assert.equal(await polling.take(), '4still here');
  });
}

for (const [name, query, code] of [
  ['no transport', 'EIO=4', 0],
  ['an unknown transport', 'EIO=4&transport=abc', 0],
  ['an unknown session', 'EIO=4&transport=websocket&sid=nobody', 1],
  ['transport polling', 'EIO=4&transport=polling', 3],
  ['transport polling of a session', 'EIO=4&transport=polling&sid=SID', 3],
  ['a session without its revision', 'transport=websocket&sid=SID', 3],
  ['a session with another revision', 'EIO=3&transport=websocket&sid=SID', 3],
  ['no revision', 'transport=websocket', 5],
  ['revision 3', 'EIO=3&transport=websocket', 5],
  ['revision abc', 'EIO=abc&transport=websocket', 5],
]) {
  test(`an upgrade with ${name}: error ${code}`, async () => {
    const polling = await RawPolling.open(echo);
    const connection = await RawConnection.open(echo.port);
    const path = `${echo.path}?${query.replace('SID', polling.sid)}`;
    connection.write(upgradeRequest(echo.port, path));
    const { status, text } = await connection.answer();
    assert.deepEqual([status, JSON.parse(text)], [400, { code, message: kMessages[code] }]);
    connection.close();
    assert.equal((await polling.post('4still here')).status, 200, 'the session is unharmed');
    assert.equal(await polling.take(), '4still here');
  });
}

test('an origin that is not allowed: error 4 on both transports', async () => {
  const headers = { Origin: 'https://evil.example' };
  const expected = { code: 4, message: 'Forbidden' };
  const path = '/socket.io/?EIO=4&transport=';
  const { status, json } = await request(hostd, 'GET', `${path}polling`, { headers });
  assert.deepEqual([status, json], [403, expected]);
  const connection = await RawConnection.open(hostd.port);
  connection.write(upgradeRequest(hostd.port, `${path}websocket`, headers));
  const answer = await connection.answer();
  assert.deepEqual([answer.status, JSON.parse(answer.text)], [403, expected]);
  connection.close();
});

for (const offer of [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  'permessage-deflate; server_max_window_bits=15, permessage-deflate',
  'x-webkit-deflate-frame',
]) {
  test(`the extension "${offer}" is declined and the session works`, async () => {
    const ws = await RawWebSocket.open(echo, { headers: { 'Sec-WebSocket-Extensions': offer } });
    assert.doesNotMatch(ws.head, /sec-websocket-extensions/i);
    assert.match(await ws.takeText(), /^0\{/);
    const long = `4${'compressible '.repeat(5000)}`;
    ws.send(long);
    assert.equal(await ws.takeText(), long);
    ws.sendFrame({ opcode: kBinary, payload: Buffer.alloc(5000) });
    assert.deepEqual(await ws.take(), { opcode: kBinary, data: Buffer.alloc(5000) });
    ws.close();
  });
}

test('a client that compresses all the same is closed', async () => {
  const ws = await RawWebSocket.open(echo, {
    headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
  });
  await ws.takeText();
  ws.sendFrame({ rsv: 4, payload: '4x' });
  const next = await ws.take();
  assert.ok(next === null || next.opcode === kClose, `${next?.data}`);
});

test('socket.io-client with perMessageDeflate works without it', async () => {
  const peer = await Peer.connect(hostd, { perMessageDeflate: { threshold: 0 } });
  assert.equal(peer.socket.io.engine.transport.ws.extensions, '');
  assert.equal((await peer.join('absent')).message, 'Room does not exist');
  await peer.close();
});
