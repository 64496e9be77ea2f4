// Origins: CORS headers of every answer, preflights, and the guard of the WebSocket upgrade.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../lib/hostd.mjs';
import { get, post, request } from '../lib/http.mjs';
import {
  RawConnection,
  RawPolling,
  RawWebSocket,
  sessionLives,
  upgradeRequest,
} from '../lib/raw.mjs';

const kApp = 'http://app.example';
const kOther = 'https://other.example:8443';
const kEvil = 'http://evil.example';
const kHandshake = '/socket.io/?EIO=4&transport=polling';
const kUpgrade = '/socket.io/?EIO=4&transport=websocket';

let server;
before(async () => {
  server = await startServer({ 'cors.origins': `${kApp},${kOther}` });
});
after(() => server.stop());

function assertAllowed({ headers }, origin) {
  assert.equal(headers['access-control-allow-origin'], origin);
  assert.equal(headers['access-control-allow-credentials'], 'true');
  assert.match(headers.vary ?? '', /\borigin\b/i);
}

const words = (text) => (text ?? '').toLowerCase().split(/ *, */).sort();

for (const [name, status, ask] of [
  ['a route', 200, (headers) => get(server, '/health', headers)],
  ['ICE servers', 200, (headers) => get(server, '/api/ice_servers', headers)],
  ['a POST route', 200, (headers) => post(server, '/api/check_room', { roomId: 'x' }, headers)],
  ['a refused body', 400, (headers) => post(server, '/api/check_room', '{', headers)],
  ['an unknown path', 404, (headers) => get(server, '/nothing', headers)],
  ['a wrong method', 405, (headers) => get(server, '/api/check_room', headers)],
  ['a large body', 413, (headers) => post(server, '/api/check_room', 'x'.repeat(200000), headers)],
  ['a handshake', 200, (headers) => get(server, kHandshake, headers)],
  ['a refused handshake', 400, (headers) => get(server, '/socket.io/?EIO=4&transport=x', headers)],
]) {
  test(`CORS headers of ${name}`, async () => {
    for (const origin of [kApp, kOther]) {
      const answer = await ask({ Origin: origin });
      assert.equal(answer.status, status);
      assertAllowed(answer, origin);
    }
    for (const origin of [kEvil, 'null', `${kApp}.evil.example`, kOther.replace('8443', '8444')]) {
      const allowed = (await ask({ Origin: origin })).headers['access-control-allow-origin'];
      assert.ok(allowed !== origin && allowed !== '*', `${origin}: ${allowed}`);
    }
  });
}

test('preflights are answered 204', async () => {
  for (const path of ['/api/create_room', '/api/get_room', '/health', kHandshake]) {
    const answer = await request(server, 'OPTIONS', path, {
      headers: {
        Origin: kApp,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
      },
    });
    assert.equal(answer.status, 204, path);
    assert.equal(answer.text, '');
    assertAllowed(answer, kApp);
    assert.deepEqual(words(answer.headers['access-control-allow-methods']), [
      'get',
      'options',
      'post',
    ]);
    assert.deepEqual(words(answer.headers['access-control-allow-headers']), [
      'authorization',
      'content-type',
    ]);
  }
});

// The status of an upgrade on a connection of its own.
async function upgradeStatus(headers, { path = kUpgrade, to = server } = {}) {
  const connection = await RawConnection.open(to.port);
  connection.write(upgradeRequest(to.port, path, headers));
  const answer = await connection.answer();
  connection.close();
  return answer?.status;
}

for (const [name, headers, status] of [
  ['no Origin', {}, 101],
  ['an allowed Origin', { Origin: kApp }, 101],
  ['another allowed Origin', { Origin: kOther }, 101],
  ['an evil Origin', { Origin: kEvil }, 403],
  ['Origin null', { Origin: 'null' }, 403],
  ['an Origin that begins like an allowed one', { Origin: `${kApp}.evil.example` }, 403],
  ['an allowed name with another port', { Origin: `${kApp}:81` }, 403],
  ['an allowed name with another scheme', { Origin: kApp.replace('http', 'https') }, 403],
]) {
  test(`upgrade with ${name}: ${status}`, async () => {
    assert.equal(await upgradeStatus(headers), status);
  });
}

test('the own Origin may upgrade, but not a neighbour of it', async () => {
  const own = `http://127.0.0.1:${server.port}`;
  assert.equal(await upgradeStatus({ Origin: own }), 101);
  const named = { Host: 'chat.example', Origin: 'http://chat.example' };
  assert.equal(await upgradeStatus(named), 101);
  assert.equal(await upgradeStatus({ Origin: `${own}.evil.example` }), 403);
  assert.equal(
    await upgradeStatus({ Host: 'chat.example', Origin: 'http://chat.example.evil' }),
    403,
  );
});

test('an evil Origin can neither open nor take over a session by upgrade', async () => {
  const polling = await RawPolling.open(server);
  const path = `${kUpgrade}&sid=${polling.sid}`;
  assert.equal(await upgradeStatus({ Origin: kEvil }, { path }), 403);
  assert.ok(await sessionLives(server, polling.sid));
  assert.equal((await polling.post('40')).status, 200);
});

test('without a list only the own Origin may upgrade', async () => {
  const closed = await startServer();
  try {
    assert.equal(await upgradeStatus({ Origin: kApp }, { to: closed }), 403);
    assert.equal(
      await upgradeStatus({ Origin: `http://127.0.0.1:${closed.port}` }, { to: closed }),
      101,
    );
    assert.equal(await upgradeStatus({}, { to: closed }), 101);
    const { headers } = await get(closed, '/health', { Origin: kEvil });
    assert.ok(![kEvil, '*'].includes(headers['access-control-allow-origin']));
  } finally {
    await closed.stop();
  }
});

test('invalid bytes in Origin are refused and not echoed', async () => {
  for (const [path, extra] of [
    [kHandshake, ''],
    [
      kUpgrade,
      'Connection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
    ],
  ]) {
    const connection = await RawConnection.open(server.port);
    connection.write(
      Buffer.from(
        `GET ${path} HTTP/1.1\r\nHost: x\r\n${extra}Origin: http://a\x01\xff\r\n\r\n`,
        'latin1',
      ),
    );
    const answer = await connection.answer();
    assert.ok(answer === null || [400, 403].includes(answer.status), `${answer?.status}`);
    assert.ok(!(answer?.head ?? '').includes('\x01'));
    connection.close();
  }
  const ws = await RawWebSocket.open(server);
  ws.close();
});
