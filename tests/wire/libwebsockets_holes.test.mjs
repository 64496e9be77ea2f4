// What Debian's libwebsockets leaves open on a plain port and hostd must not: HTTP/2 by upgrade or by
// preface, and an unknown upgrade on the second request of a connection (a use after free).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meet } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { RawConnection, upgradeRequest } from '../lib/raw.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop()); // under a sanitizer this is where a hole shows

const kPlain = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
const kPreface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const kSettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

const upgrade = (protocol, path = '/health', extra = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\n${extra}\r\n`;
const kHttp2Settings = 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n';
const kSession = '/socket.io/?EIO=4&transport=websocket';

const kOffers = {
  h2c: upgrade('h2c', '/health', kHttp2Settings),
  'h2c without settings': upgrade('h2c'),
  'h2c for a session': upgrade('h2c', kSession, kHttp2Settings),
  H2C: upgrade('H2C', '/health', kHttp2Settings),
  'h2c and websocket': upgrade('h2c, websocket', '/health', kHttp2Settings),
  foo: upgrade('foo'),
  'foo for a session': upgrade('foo', kSession),
  nothing: upgrade(''),
  'a long name': upgrade('x'.repeat(3000)),
  websocketx: upgradeRequest(1, kSession, { Upgrade: 'websocketx' }),
  'two protocols': upgradeRequest(1, kSession, { Upgrade: 'websocket\r\nUpgrade: h2c' }),
};

async function assertServing() {
  assert.equal((await get(server, '/health')).status, 200);
  const {
    peers: [a, b],
    close,
  } = await meet(server, 2);
  await a.receivesOnlyFrom(b);
  await close();
}

for (const [name, offer] of Object.entries(kOffers)) {
  for (const before of [0, 1, 2]) {
    test(`Upgrade: ${name}, after ${before} requests: no 101`, async () => {
      const connection = await RawConnection.open(server.port);
      for (let count = 0; count < before; count++) {
        connection.write(kPlain);
        assert.equal((await connection.answer()).status, 200);
      }
      connection.write(offer);
      const answer = await connection.answer();
      assert.notEqual(answer?.status, 101);
      connection.write(Buffer.concat([Buffer.from(kPreface), kSettings]));
      connection.write(kPlain);
      const next = await connection.answer();
      assert.notEqual(next?.status, 101);
      assert.ok(!connection.received.includes(Buffer.from([0, 0, 0, 4, 1])), 'no HTTP/2 frame');
      connection.close();
      await assertServing();
    });
  }
}

test('both requests in one packet: no 101', async () => {
  for (const offer of Object.values(kOffers)) {
    const connection = await RawConnection.open(server.port);
    connection.write(kPlain + offer + kPlain);
    for (let answer = {}; answer && !connection.ended && answer.status !== 400;) {
      answer = await Promise.race([
        connection.answer().catch(() => null),
        connection.closed.then(() => null),
      ]);
      assert.notEqual(answer?.status, 101);
      if (answer && connection.received.length === 0) break;
    }
    connection.close();
  }
  await assertServing();
});

test('the HTTP/2 preface: neither spoken nor fatal', async () => {
  for (const before of ['', kPlain]) {
    const connection = await RawConnection.open(server.port);
    if (before) {
      connection.write(before);
      assert.equal((await connection.answer()).status, 200);
    }
    connection.write(Buffer.concat([Buffer.from(kPreface), kSettings, kSettings]));
    const answer = await connection.answer();
    assert.ok(answer === null || answer.status >= 400, `${answer?.status}`);
    assert.ok(!connection.received.includes(kSettings));
    connection.close();
  }
  await assertServing();
});

test('other first words: TLS, CONNECT, an absolute URI, another protocol', async () => {
  for (const bytes of [
    Buffer.from('1603010200010001fc0303', 'hex'),
    'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    `GET http://evil.example${kSession} HTTP/1.1\r\nHost: evil.example\r\n\r\n`,
    'GET /health HTTP/0.9\r\n\r\n',
    'GET /health\r\n\r\n',
    'SSH-2.0-x\r\n\r\n',
    '\r\n\r\n\r\n',
    '\0'.repeat(1000),
    'GET /health HTTP/1.1\nHost: x\n\n',
    'GET  /health  HTTP/1.1\r\nHost: x\r\n\r\n',
    `GET /${'x'.repeat(50000)} HTTP/1.1\r\n\r\n`,
    'GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n folded\r\n\r\n',
    ': \r\n\r\n',
  ]) {
    const connection = await RawConnection.open(server.port);
    connection.write(bytes);
    connection.socket.end();
    const answer = await connection.answer();
    assert.notEqual(answer?.status, 101);
    connection.close();
  }
  await assertServing();
});
