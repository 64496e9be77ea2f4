// Hostile handshakes: upgrade requests that are wrong, too large, or cut off at any byte.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meetWitnesses } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawConnection, upgradeRequest } from '../lib/raw.mjs';

let server;
let witnesses;
before(async () => {
  server = await startServer();
  witnesses = await meetWitnesses(server);
});
after(async () => {
  await witnesses.close();
  await server.stop();
});

for (const [name, headers] of [
  ['no key', { 'Sec-WebSocket-Key': null }],
  ['a bad key', { 'Sec-WebSocket-Key': 'x' }],
  ['version 8', { 'Sec-WebSocket-Version': '8' }],
  [
    'many headers',
    Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`X-${index}`, 'y'])),
  ],
  ['headers without end', { 'X-Long': 'y'.repeat(100000) }],
  [
    'compression offered',
    { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' },
  ],
]) {
  test(`upgrade request with ${name}, then a reset`, async () => {
    const connection = await RawConnection.open(server.port);
    connection.write(upgradeRequest(server.port, '/socket.io/?EIO=4&transport=websocket', headers));
    const answer = await connection.answer();
    assert.ok(!/permessage-deflate/i.test(answer?.head ?? ''), 'compression is declined');
    connection.reset();
    await witnesses.assertUnharmed();
  });
}

test('connections that are reset at any moment', async () => {
  const request = upgradeRequest(server.port, '/socket.io/?EIO=4&transport=websocket');
  for (let length = 0; length <= request.length; length += 20) {
    const connection = await RawConnection.open(server.port);
    connection.write(request.slice(0, length));
    connection.reset();
  }
  await witnesses.assertUnharmed();
});
