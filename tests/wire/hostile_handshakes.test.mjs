// Hostile handshakes: parameters, methods and headers of a session's first request, and upgrade requests
// that are wrong, too large, cut off at any byte, or followed by bytes that nobody waits for.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { request } from '../lib/http.mjs';
import {
  frame,
  kClose,
  RawConnection,
  RawPolling,
  RawWebSocket,
  upgradeRequest,
} from '../lib/raw.mjs';
import { startWitnessed } from '../lib/witnessed.mjs';

let server;
before(async () => {
  server = await startWitnessed();
});
after(() => server.stop());

const kPath = '/socket.io/';
const kPolling = `${kPath}?EIO=4&transport=polling`;
const kWebSocket = `${kPath}?EIO=4&transport=websocket`;

const getOf = (path, head = 'Host: x\r\n', version = 'HTTP/1.1') =>
  `GET ${path} ${version}\r\n${head}\r\n`;
const upgradeOf = (headers, path = kWebSocket) => upgradeRequest(server.port, path, headers);

// What the server makes of these bytes, in a word: "open" (a session on polling), "upgrade", "code n"
// (the error of Engine.IO), "refused" (another error, or the end of the connection).
async function fateOf(bytes) {
  const connection = await RawConnection.open(server.port);
  connection.write(Buffer.from(bytes, 'latin1'));
  const answer = await connection.answer();
  try {
    if (answer?.status === 101) return 'upgrade';
    if (answer?.status === 200) {
      const { sid } = JSON.parse(answer.text.replace(/^0/, ''));
      await endOf(new RawPolling(server, { sid }));
      return 'open';
    }
    if (answer === null) return 'refused';
    assert.ok(answer.status >= 400 && answer.status <= 505, `status ${answer.status}`);
    const code = /^\{"code":(\d),/.exec(answer.text)?.[1];
    return code === undefined ? 'refused' : `code ${code}`;
  } finally {
    connection.close();
  }
}

// Ends a session, which was unharmed until then.
const endOf = async (polling) => assert.equal((await polling.post('1')).status, 200, 'unharmed');

// The third of a row is what engine.io answers, too; where it does not, the fourth says why we do.
const named = (name, fate, why) =>
  `${name}: ${fate}${why ? ` (other than engine.io: ${why})` : ''}`;

const kOwnUrls = 'libwebsockets ends it';
for (const [name, query, fate, why] of [
  ['an empty transport', 'EIO=4&transport=', 'code 0'],
  ['transport toString', 'EIO=4&transport=toString', 'code 0'],
  ['transport hasOwnProperty', 'EIO=4&transport=hasOwnProperty', 'code 0'],
  ['a transport in capitals', 'EIO=4&transport=Polling', 'code 0'],
  ['a transport as an array', 'EIO=4&transport[]=polling', 'code 0'],
  ['two transports, websocket last', 'EIO=4&transport=polling&transport=websocket', 'code 3'],
  ['two transports, polling last', 'EIO=4&transport=websocket&transport=polling', 'open'],
  ['a transport that is encoded', 'EIO=4&transport=%70olling', 'open'],
  ['a transport of 64 kB', `EIO=4&transport=${'x'.repeat(65536)}`, 'refused'],
  ['a transport with NUL', 'EIO=4&transport=polling\0', 'refused'],
  ['a transport with NUL, encoded', 'EIO=4&transport=polling%00', 'refused', kOwnUrls],
  ['a name with NUL, encoded', 'EIO=4&transport%00=polling', 'refused', kOwnUrls],
  ['an invalid escape', 'EIO=4&transport=polling&a=%zz', 'refused', kOwnUrls],
  ['half an escape', 'EIO=4&transport=polling&a=%', 'refused', kOwnUrls],
  ['thousands of parameters', `EIO=4&transport=polling${'&a=b'.repeat(3000)}`, 'refused', kOwnUrls],
  ['revisions 3 and 4', 'EIO=3&EIO=4&transport=polling', 'open'],
  ['revisions 4 and 3', 'EIO=4&EIO=3&transport=polling', 'code 5'],
  ['revision 04', 'EIO=04&transport=polling', 'code 5'],
  ['revision 4.0', 'EIO=4.0&transport=polling', 'code 5'],
  ['revision +4', 'EIO=+4&transport=polling', 'code 5'],
  ['an empty revision', 'EIO=&transport=polling', 'code 5'],
  ['a revision with NUL', 'EIO=4%00&transport=polling', 'refused', kOwnUrls],
  ['a revision in another case', 'eio=4&transport=polling', 'code 5'],
  ['session constructor', 'EIO=4&transport=polling&sid=constructor', 'code 1'],
  ['session hasOwnProperty', 'EIO=4&transport=polling&sid=hasOwnProperty', 'code 1'],
  ['session NUL', 'EIO=4&transport=polling&sid=%00', 'refused', kOwnUrls],
  ['a session of 10 kB', `EIO=4&transport=polling&sid=${'x'.repeat(10000)}`, 'code 1'],
  ['a session of 1 MB', `EIO=4&transport=polling&sid=${'x'.repeat(1000000)}`, 'refused'],
]) {
  test(named(`a handshake with ${name}`, fate, why), async () => {
    assert.equal(await fateOf(getOf(`${kPath}?${query}`)), fate);
    await server.assertUnharmed();
  });
}

for (const [name, add] of [
  ['NUL', '%00'],
  ['a space', '%20'],
  ['a line break', '%0d%0a'],
  ['one letter more', 'x'],
]) {
  test(`the id of a session with ${name} behind it is no session`, async () => {
    const polling = await RawPolling.open(server);
    assert.match(await fateOf(getOf(`${polling.path}${add}`)), /^(code 1|refused)$/);
    await endOf(polling);
  });
}

// CVE-2026-102599: a request for a session with another revision, or none, than it was opened with.
for (const query of ['EIO=3&', '', 'EIO=4&EIO=3&', 'EIO=&', 'EIO=5&']) {
  for (const method of ['GET', 'POST', 'upgrade']) {
    test(`${method} of a session with "${query}" for its revision: code 3`, async () => {
      const polling = await RawPolling.open(server);
      const path = (transport) => `${kPath}?${query}transport=${transport}&sid=${polling.sid}`;
      const bytes =
        method === 'upgrade'
          ? upgradeOf({}, path('websocket'))
          : `${method} ${path('polling')} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1`;
      assert.equal(await fateOf(bytes), 'code 3');
      await endOf(polling);
      await server.assertUnharmed();
    });
  }
}

for (const [method, status, code, why] of [
  ['HEAD', 400, undefined],
  ['PATCH', 400, 2],
  ['DELETE', 400, 2],
  ['OPTIONS', 204, undefined, 'a preflight'],
  ['TRACE', 501, undefined, 'it is not implemented'],
]) {
  test(named(`a handshake by ${method}`, status, why), async () => {
    const answer = await request(server, method, kPolling, { headers: { Connection: 'close' } });
    assert.deepEqual([answer.status, answer.json?.code], [status, code]);
    await server.assertUnharmed();
  });
}

for (const method of ['HEAD', 'OPTIONS', 'DELETE', 'PATCH']) {
  // engine.io answers 500.
  test(`${method} of a session does it no harm`, async () => {
    const polling = await RawPolling.open(server);
    const { status } = await request(server, method, polling.path);
    assert.equal(status, method === 'OPTIONS' ? 204 : 400);
    await endOf(polling);
    await server.assertUnharmed();
  });
}

const kHost = 'Host: x\r\n';
for (const [name, head, fate, why] of [
  ['90 headers', kHost + Array.from({ length: 90 }, (_, i) => `Z-${i}: y\r\n`).join(''), 'open'],
  ['thousands of headers', kHost + 'z:\r\n'.repeat(3000), 'refused', 'all count'],
  ['hundreds of cookies', kHost + 'Cookie: a=b\r\n'.repeat(500), 'refused', 'all count'],
  ['a header of 15 kB', `${kHost}Z-Big: ${'y'.repeat(15000)}\r\n`, 'open'],
  ['a header of 17 kB', `${kHost}Z-Big: ${'y'.repeat(17000)}\r\n`, 'refused'],
  ['a cookie of 17 kB', `${kHost}Cookie: ${'y'.repeat(17000)}\r\n`, 'refused'],
  [
    'two headers of 10 kB',
    `${kHost}Z-A: ${'y'.repeat(10000)}\r\nZ-B: ${'y'.repeat(10000)}\r\n`,
    'refused',
  ],
  ['two hosts', `${kHost}Host: y\r\n`, 'refused', 'HTTP/1.1 demands one'],
  ['a hundred hosts', kHost.repeat(100), 'refused', 'all count'],
  ['two Connection headers', `${kHost}Connection: close\r\nConnection: keep-alive\r\n`, 'open'],
  ['Upgrade without Connection', `${kHost}Upgrade: websocket\r\n`, 'refused', 'it asks for one'],
  ['a control character in a name', `${kHost}Z\x01: y\r\n`, 'refused'],
  ['NUL in a value', `${kHost}Z-A: a\0b\r\n`, 'refused'],
  ['a folded header', `${kHost}Z-A: b\r\n folded\r\n`, 'refused'],
  ['a folded length', `${kHost}Content-Length:\r\n 3\r\n`, 'refused'],
  ['a header without a colon', `${kHost}zzz\r\n`, 'refused'],
  ['a header without a name', `${kHost}: y\r\n`, 'refused'],
  ['a length and no body', `${kHost}Content-Length: x\r\n`, 'refused'],
  ['two framings', `${kHost}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n`, 'refused'],
]) {
  test(named(`a handshake with ${name}`, fate, why), async () => {
    assert.equal(await fateOf(getOf(kPolling, head)), fate);
    await server.assertUnharmed();
  });
}

for (const [name, bytes, fate, why] of [
  ['HTTP/1.0', getOf(kPolling, kHost, 'HTTP/1.0'), 'open'],
  ['HTTP/2.0', getOf(kPolling, kHost, 'HTTP/2.0'), 'refused', 'it is not spoken'],
  ['http/1.1', getOf(kPolling, kHost, 'http/1.1'), 'refused'],
  ['no version', `GET ${kPolling}\r\n\r\n`, 'refused', 'cannot be told from a cut one'],
  ['an absolute URL', getOf(`http://x${kPolling}`), 'refused'],
  ['an asterisk', getOf('*'), 'refused'],
  ['a path below', getOf(`${kPath}x?EIO=4&transport=polling`), 'open'],
  ['no slash', getOf('/socket.io?EIO=4&transport=polling'), 'refused'],
  ['another case', getOf('/Socket.IO/?EIO=4&transport=polling'), 'refused'],
]) {
  test(named(`a request line with ${name}`, fate, why), async () => {
    assert.equal(await fateOf(bytes), fate);
    await server.assertUnharmed();
  });
}

const kKey = 'AAAAAAAAAAAAAAAAAAAAAA==';
const kBody = 'a GET has none';
for (const [name, headers, fate, why] of [
  ['no key', { 'Sec-WebSocket-Key': null }, 'refused'],
  ['a short key', { 'Sec-WebSocket-Key': 'x' }, 'refused'],
  ['a key that is not in base64', { 'Sec-WebSocket-Key': '!'.repeat(24) }, 'refused'],
  ['a key of 17 bytes', { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAAA=' }, 'refused'],
  ['two keys', { 'Sec-WebSocket-Key': `${kKey}\r\nSec-WebSocket-Key: ${kKey}` }, 'refused'],
  ['no version', { 'Sec-WebSocket-Version': null }, 'refused'],
  ['version 0', { 'Sec-WebSocket-Version': '0' }, 'refused'],
  ['version 8', { 'Sec-WebSocket-Version': '8' }, 'refused', 'RFC 6455 has 13'],
  ['version 013', { 'Sec-WebSocket-Version': '013' }, 'refused', 'RFC 6455 has 13'],
  ['a list of versions', { 'Sec-WebSocket-Version': '13, 8' }, 'refused'],
  ['no Connection', { Connection: null }, 'refused', 'not even code 3'],
  ['Connection: keep-alive', { Connection: 'keep-alive' }, 'refused', 'not even code 3'],
  ['Connection: keep-alive, Upgrade', { Connection: 'keep-alive, Upgrade' }, 'upgrade'],
  ['Upgrade in capitals', { Upgrade: 'WebSocket' }, 'upgrade'],
  ['two Upgrade headers', { Upgrade: 'websocket\r\nUpgrade: websocket' }, 'refused'],
  ['no Host', { Host: null }, 'refused', 'HTTP/1.1 demands it'],
  ['a body', { 'Content-Length': '3' }, 'refused', kBody],
  ['a chunked body', { 'Transfer-Encoding': 'chunked' }, 'refused', kBody],
  ['a broken extension', { 'Sec-WebSocket-Extensions': ';;=' }, 'upgrade'],
  ['an extension', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }, 'upgrade'],
  ['headers without end', { 'Z-Long': 'y'.repeat(100000) }, 'refused'],
  [
    'many headers',
    Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`Z-${i}`, 'y'])),
    'refused',
    'all count',
  ],
]) {
  test(named(`an upgrade with ${name}`, fate, why), async () => {
    assert.equal(await fateOf(upgradeOf(headers)), fate);
    await server.assertUnharmed();
  });

  // CVE-2022-41940: an upgrade request that is refused, on a connection that breaks.
  test(`an upgrade with ${name}, then a reset`, async () => {
    const connection = await RawConnection.open(server.port);
    connection.write(upgradeOf(headers));
    connection.write(frame({ payload: '40' }));
    connection.reset();
    await server.assertUnharmed();
  });
}

for (const [method, path, fate, why] of [
  ['POST', kWebSocket, 'refused'],
  ['PUT', kWebSocket, 'refused'],
  ['OPTIONS', kWebSocket, 'refused'],
  ['GET', '/other/', 'refused'],
  ['GET', '/health', 'refused'],
  ['GET', '/socket.io?EIO=4&transport=websocket', 'refused'],
  ['GET', `${kWebSocket}&sid=`, 'upgrade'],
  ['GET', `${kWebSocket}&sid=constructor`, 'code 1'],
  ['GET', `${kWebSocket}&sid=__proto__`, 'code 1'],
  ['GET', `${kWebSocket}&transport=toString`, 'code 0'],
  ['GET', `${kWebSocket}&transport=polling`, 'code 3', 'it asks for both'],
]) {
  test(named(`an upgrade by ${method} of ${path}`, fate, why), async () => {
    assert.equal(await fateOf(upgradeOf({}, path).replace('GET', method)), fate);
    await server.assertUnharmed();
  });
}

// What a client sends in one packet with its upgrade request is there before the session is.
for (const [name, frames, expected] of [
  ['CONNECT', [{ payload: '40' }], /^40\{"sid":/],
  [
    'CONNECT and an event',
    [{ payload: '40' }, { payload: '42["join",{"roomId":"x"}]' }],
    /^40\{"sid":/,
  ],
  ['an event', [{ payload: '42["x"]' }], null],
  ['a pong', [{ payload: '3' }, { payload: '40' }], /^40\{"sid":/],
  ['a ping', [{ payload: '2' }], null],
  ['a close packet', [{ payload: '1' }], null],
  ['binary', [{ opcode: 2, payload: [1] }], null],
  ['no frame', [{ rsv: 7, opcode: 15, payload: 'x' }], null],
  ['a close frame', [{ opcode: kClose, payload: [3, 0xe8] }], null],
]) {
  test(`an upgrade request with ${name} behind it: ${expected ? 'taken' : 'the end'}`, async () => {
    const connection = await RawConnection.open(server.port);
    connection.write(Buffer.concat([Buffer.from(upgradeOf({})), ...frames.map(frame)]));
    const answer = await connection.answer();
    assert.equal(answer?.status, 101);
    const ws = new RawWebSocket(connection, answer.head);
    if (expected) {
      assert.match(await ws.takeText(), /^0\{"sid":/);
      assert.match(await ws.takeText(), expected);
    } else {
      await ws.closeCode();
      await connection.closed;
    }
    ws.close();
    await server.assertUnharmed();
  });
}

test("bytes behind an upgrade request that is refused are nobody else's request", async () => {
  for (const bytes of [frame({ payload: '40' }), Buffer.from(getOf('/health'))]) {
    const connection = await RawConnection.open(server.port);
    const refused = upgradeOf({}, `${kWebSocket}&sid=nobody`);
    connection.write(Buffer.concat([Buffer.from(refused), bytes]));
    assert.equal((await connection.answer())?.status, 400);
    assert.equal(await connection.answer(), null, 'nothing follows');
    await server.assertUnharmed();
  }
});

test('connections that are reset at any moment', async () => {
  const bytes = upgradeOf({});
  for (let length = 0; length <= bytes.length; length += 20) {
    const connection = await RawConnection.open(server.port);
    connection.write(bytes.slice(0, length));
    connection.reset();
  }
  await server.assertUnharmed();
});
