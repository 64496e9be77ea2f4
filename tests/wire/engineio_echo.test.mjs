// The Engine.IO floor by itself: build/tests/apps/engineio_echo on both transports.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startApp } from '../lib/apps.mjs';
import { get, request } from '../lib/http.mjs';
import { kBinary, RawWebSocket } from '../lib/raw.mjs';

let server;
before(async () => {
  server = await startApp('engineio_echo');
});
after(() => server.stop());

test('text and binary come back over polling', async () => {
  const opened = await get(server, '/engine.io/?EIO=4&transport=polling');
  const { sid, upgrades, pingInterval, pingTimeout, maxPayload } = JSON.parse(opened.text.slice(1));
  assert.deepEqual(
    [upgrades, pingInterval, pingTimeout, maxPayload],
    [['websocket'], 300, 200, 1000000],
  );
  const session = `/engine.io/?EIO=4&transport=polling&sid=${sid}`;
  const headers = { 'Content-Type': 'text/plain;charset=UTF-8' };
  const posted = await request(server, 'POST', session, { body: '4hello\x1ebAQID', headers });
  assert.equal(posted.text, 'ok');
  assert.equal((await get(server, session)).text, '4hello\x1ebAQID');
});

test('text and binary come back over a WebSocket', async () => {
  const ws = await RawWebSocket.open(server, { path: '/engine.io/?EIO=4&transport=websocket' });
  assert.deepEqual(JSON.parse((await ws.takeText()).slice(1)).upgrades, []);
  ws.send('4hello');
  assert.equal(await ws.takeText(), '4hello');
  ws.sendFrame({ opcode: kBinary, payload: Buffer.from([1, 2, 3]) });
  assert.deepEqual(await ws.take(), { opcode: kBinary, data: Buffer.from([1, 2, 3]) });
  ws.close();
});
