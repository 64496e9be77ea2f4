// Engine.IO over a WebSocket: text and binary, what closes it, and the largest message.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startPatientEcho } from '../lib/apps.mjs';
import { get } from '../lib/http.mjs';
import { kBinary, kClose, kText, RawWebSocket } from '../lib/raw.mjs';

const kMaxPayload = 1000000;

let echo;
before(async () => {
  echo = await startPatientEcho();
});
after(() => echo.stop());

// A new session, whose open packet is read.
async function open() {
  const ws = await RawWebSocket.open(echo);
  ws.sid = JSON.parse((await ws.takeText()).slice(1)).sid;
  return ws;
}

async function assertClosed(ws, ...codes) {
  assert.ok(codes.includes(await ws.closeCode()), 'close code');
  await ws.connection.closed;
  const { json } = await get(echo, `${echo.path}?EIO=4&transport=polling&sid=${ws.sid}`);
  assert.equal(json.code, 1, 'the session is unknown');
}

test('text and binary of every size of frame come back as they were', async () => {
  const ws = await open();
  for (const length of [0, 1, 124, 125, 126, 65534, 65535, 65536, 300000]) {
    const text = `4${'x'.repeat(length)}`;
    ws.send(text);
    assert.equal(await ws.takeText(), text);
    const bytes = Buffer.from(Array.from({ length }, (_, index) => index % 256));
    ws.sendFrame({ opcode: kBinary, payload: bytes });
    assert.deepEqual(await ws.take(), { opcode: kBinary, data: bytes });
  }
  ws.close();
});

test('text of every width, and a message in fragments', async () => {
  const ws = await open();
  ws.send('4aé€😀\u2028\0');
  assert.equal(await ws.takeText(), '4aé€😀\u2028\0');
  const bytes = Buffer.from('4€');
  ws.sendFrame({ fin: false, payload: bytes.subarray(0, 2) });
  ws.sendFrame({ opcode: 0, fin: false, payload: bytes.subarray(2, 3) });
  ws.sendFrame({ opcode: 0, payload: bytes.subarray(3) });
  assert.equal(await ws.takeText(), '4€');
  ws.close();
});

test('a thousand messages in one go come back in order', async () => {
  const ws = await open();
  for (let number = 0; number < 1000; number++) ws.send(`4${number}`);
  for (let number = 0; number < 1000; number++) assert.equal(await ws.takeText(), `4${number}`);
  ws.close();
});

test('base64 in a text frame is binary, as the official client sends it with forceBase64', async () => {
  const ws = await open();
  ws.send('bAQID');
  assert.deepEqual(await ws.take(), { opcode: kBinary, data: Buffer.from([1, 2, 3]) });
  ws.close();
});

for (const packet of ['abc', '7', '', '\0', ' 4', 'b!!!!', '2', '2probe']) {
  test(`the packet ${JSON.stringify(packet)} closes the session`, async () => {
    const ws = await open();
    ws.send(packet);
    await assertClosed(ws, 1000);
  });
}

test('packets that mean nothing here are passed over', async () => {
  const ws = await open();
  for (const packet of ['0', '3', '3x', '5', '6']) ws.send(packet);
  ws.send('4next');
  assert.equal(await ws.takeText(), '4next');
  ws.close();
});

test('a close packet closes the WebSocket, and nothing behind it is taken', async () => {
  const ws = await open();
  ws.send('1');
  ws.send('4too late');
  const { opcode, data } = await ws.take();
  assert.deepEqual([opcode, data.readUInt16BE(0)], [kClose, 1000]);
  assert.equal(await ws.take(), null);
});

test('a close frame is answered with its code and ends the session', async () => {
  const ws = await open();
  ws.sendFrame({ opcode: kClose, payload: [0x03, 0xe8] });
  await assertClosed(ws, 1000);
});

test('a client that is gone without a word ends its session', async () => {
  const ws = await open();
  ws.connection.reset();
  await ws.connection.closed;
  const { json } = await get(echo, `${echo.path}?EIO=4&transport=polling&sid=${ws.sid}`);
  assert.equal(json.code, 1);
});

for (const [opcode, name, first] of [
  [kText, 'text', '4'],
  [kBinary, 'binary', 'x'],
]) {
  test(`a ${name} message of maxPayload bytes passes, one more byte closes`, async () => {
    const ws = await open();
    const largest = Buffer.from(first.padEnd(kMaxPayload, 'y'));
    ws.sendFrame({ opcode, payload: largest });
    const back = await ws.take();
    assert.equal(back.opcode, opcode);
    assert.ok(back.data.equals(largest));
    ws.sendFrame({ opcode, payload: Buffer.concat([largest, Buffer.from('z')]) });
    await assertClosed(ws, 1009, null);
  });
}

test('maxPayload counts a message, not its fragments', async () => {
  const ws = await open();
  const half = 'y'.repeat(kMaxPayload / 2);
  ws.sendFrame({ fin: false, payload: `4${half.slice(1)}` });
  ws.sendFrame({ opcode: 0, payload: half });
  assert.equal((await ws.take()).data.length, kMaxPayload);
  ws.sendFrame({ fin: false, payload: `4${half}` });
  ws.sendFrame({ opcode: 0, payload: half });
  await assertClosed(ws, 1009, null);
});
