// The PROXY protocol: whose a connection is when a load balancer tells, and what becomes of
// connections that tell it wrong.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { HostApp, kTell } from '../lib/host_app.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawConnection, upgradeRequest } from '../lib/raw.mjs';
import { eventually, within } from '../lib/wait.mjs';

const kBalancer = '127.0.0.9';
const kSignature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

let host; // tells whose requests come
let server; // three workers, and a limit for each address
before(async () => {
  host = await HostApp.start(
    { 'proxy.protocol': '127.0.0.9,::1', 'proxy.trusted': '198.51.100.7' },
    ['mount', '/ask', kTell],
  );
  server = await startServer({
    'proxy.protocol': kBalancer,
    'limits.connections_per_ip': 2,
    'http.request_timeout': 1000,
    workers: 3,
  });
});
after(() => Promise.all([host?.stop(), server?.stop()]));
beforeEach(() => host.forget());

const v1 = (client) =>
  `PROXY TCP${client.includes(':') ? 6 : 4} ${client} ${client} 4711 443\r\n`;

function v2(client, { command = 1, family, rest = '' } = {}) {
  const address = client?.includes(':')
    ? Buffer.from(client.replaceAll(':', ''), 'hex')
    : Buffer.from((client ?? '').split('.').filter(Boolean).map(Number));
  const ports = client ? [18, 52, 1, 187] : [];
  const body = Buffer.concat([address, address, Buffer.from(ports), Buffer.from(rest)]);
  const kind = family ?? (client ? (address.length === 4 ? 0x11 : 0x21) : 0);
  const head = Buffer.from([0x20 | command, kind, body.length >> 8, body.length & 255]);
  return Buffer.concat([kSignature, head, body]);
}

const ask = (headers = '') => `GET /ask HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

// Who the host thinks has sent this request.
async function asker(bytes, localAddress = kBalancer) {
  const connection = await RawConnection.open(host.port, undefined, localAddress);
  connection.write(bytes);
  const { ticket, address } = await host.take('http');
  await host.call('respond', ticket, 200, 'ok');
  assert.equal((await connection.answer()).status, 200);
  connection.close();
  return address;
}

const both = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));

for (const [name, header, address] of [
  ['version 1, IPv4', v1('192.0.2.1'), '192.0.2.1'],
  ['version 1, IPv6', v1('2001:db8::1'), '2001:db8::1'],
  ['version 1, unknown', 'PROXY UNKNOWN\r\n', kBalancer],
  ['version 2, IPv4', v2('192.0.2.1'), '192.0.2.1'],
  [
    'version 2, IPv6',
    v2('2001:0db8:0000:0000:0000:0000:0000:0001'),
    '2001:db8::1',
  ],
  ['version 2, extensions', v2('192.0.2.1', { rest: '\x04\0\x08abcdefgh' }), '192.0.2.1'],
  ['version 2, local', v2(null, { command: 0 }), kBalancer],
  ['version 2, local with an address', v2('192.0.2.1', { command: 0 }), kBalancer],
  ['version 2, no address', v2(null), kBalancer],
]) {
  test(`${name}: the client is ${address}`, async () => {
    assert.equal(await asker(both(header, ask())), address);
  });
}

test('a header may come in pieces, and the request later', async () => {
  for (const header of [v1('192.0.2.1'), v2('192.0.2.1')]) {
    const connection = await RawConnection.open(host.port, undefined, kBalancer);
    connection.socket.setNoDelay(true);
    for (const byte of both(header, ask())) {
      connection.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { ticket, address } = await host.take('http');
    assert.equal(address, '192.0.2.1');
    await host.call('respond', ticket, 200, 'ok');
    await connection.answer();
    // The next request of the connection is the same client's.
    connection.write(ask());
    assert.equal((await host.take('http')).address, '192.0.2.1');
    connection.close();
  }
});

test('X-Forwarded-For is believed only when the client that the header names is trusted', async () => {
  const forwarded = ask('X-Forwarded-For: 203.0.113.5\r\n');
  assert.equal(await asker(both(v1('198.51.100.7'), forwarded)), '203.0.113.5');
  assert.equal(await asker(both(v1('198.51.100.8'), forwarded)), '198.51.100.8');
  assert.equal(await asker(both('PROXY UNKNOWN\r\n', forwarded)), kBalancer);
});

test('who is no balancer of ours speaks for himself', async () => {
  assert.equal(await asker(ask(), '127.0.0.8'), '127.0.0.8');
  for (const header of [v1('192.0.2.1'), v2('192.0.2.1')]) {
    const connection = await RawConnection.open(host.port, undefined, '127.0.0.8');
    connection.write(both(header, ask()));
    assert.equal((await connection.answer()).status, 400);
  }
  assert.deepEqual(host.has('http'), []);
});

for (const [name, bytes] of [
  ['no header', ask()],
  ['a wrong family', 'PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n'],
  ['an address that is none', 'PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n'],
  ['a line without end', `PROXY TCP4 ${'1'.repeat(200)}`],
  ['another version', both(kSignature, [0x11, 0x11, 0, 12], '.'.repeat(12))],
  ['another command', v2('192.0.2.1', { command: 5 })],
  ['datagrams', v2('192.0.2.1', { family: 0x12 })],
  ['too few bytes for its family', v2('192.0.2.1', { family: 0x21 })],
  ['too many bytes', both(kSignature, [0x21, 0x11, 0xff, 0xff], '.'.repeat(600))],
]) {
  test(`${name} from a balancer: the connection ends without an answer`, async () => {
    const connection = await RawConnection.open(host.port, undefined, kBalancer);
    connection.write(both(bytes, ask()));
    await within(connection.closed, 'end of the connection');
    assert.equal(connection.received.length, 0);
    assert.deepEqual(host.has('http'), []);
  });
}

test('a header that does not come, or comes slowly, is waited for no longer than a request', async () => {
  const silent = await RawConnection.open(server.port, undefined, kBalancer);
  const slow = await RawConnection.open(server.port, undefined, kBalancer);
  const header = v1('192.0.2.99');
  let at = 0;
  const dripping = setInterval(() => slow.write(header[at++] ?? 'G'), 100);
  await Promise.all([silent, slow].map(({ closed }) => within(closed, 'end'))).finally(() =>
    clearInterval(dripping),
  );
  assert.equal(slow.received.length, 0);
});

const kSession = '/socket.io/?EIO=4&transport=websocket';

// Opens a WebSocket for a client; the status of the answer, null when there is none.
async function upgrade(header) {
  const connection = await RawConnection.open(server.port, undefined, kBalancer);
  connection.write(both(header, upgradeRequest(server.port, kSession)));
  return { connection, status: (await connection.answer())?.status ?? null };
}

test('limits count the client that the header names, not the balancer', async () => {
  const held = [];
  for (let i = 0; i < 2; i++) held.push(await upgrade(v2('192.0.2.1')));
  for (let i = 2; i < 6; i++) held.push(await upgrade(v1(`192.0.2.${i}`)));
  for (let i = 0; i < 4; i++) held.push(await upgrade('PROXY UNKNOWN\r\n'));
  assert.deepEqual(
    held.map(({ status }) => status),
    Array(10).fill(101),
  );
  assert.equal((await upgrade(v1('192.0.2.1'))).status, null);
  held[0].connection.close();
  const again = async () => {
    const { connection, status } = await upgrade(v1('192.0.2.1'));
    held.push({ connection });
    return status === 101;
  };
  await eventually(again, 'room for one more');
  for (const { connection } of held) connection.close();
});

test('sessions live on with whichever worker has them', async () => {
  const connection = await RawConnection.open(server.port, undefined, kBalancer);
  const handshake = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n';
  connection.write(both(v1('192.0.2.50'), handshake));
  const { sid } = JSON.parse((await connection.answer()).text.slice(1));
  for (let i = 0; i < 6; i++) {
    const other = await RawConnection.open(server.port, undefined, kBalancer);
    const path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const post = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n3`;
    other.write(both(v2(`192.0.2.${60 + i}`), post));
    assert.equal((await other.answer()).text, 'ok');
    other.close();
  }
  connection.close();
});
