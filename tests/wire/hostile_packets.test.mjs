// Hostile packets, frames and payloads: the server closes or ignores as upstream does, and
// goes on relaying between others.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meetWitnesses } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { kBinary, kClose, kText, RawPolling, RawWebSocket } from '../lib/raw.mjs';

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

const kLong = 'x'.repeat(100000);
const kDeep = '['.repeat(100000);
const kPlaceholder = '{"_placeholder":true,"num":0}';
// What upstream's parser closes a connection for, what it takes, and where strictness is ours to choose.
const kPackets = {
  closes: [
    '4',
    '41',
    '44',
    '45',
    '46',
    '49',
    '4999',
    '4a',
    '42{}',
    '42"x"',
    '42[]',
    '42[null]',
    '42[true,1]',
    '42[{"toString":"x"}]',
    '42["connect"]',
    '42["disconnect"]',
    '42["connect_error"]',
    '42["disconnecting"]',
    '42["newListener"]',
    '42["removeListener"]',
    '42["x"',
    '42["x"]x',
    '42[NaN]',
    '42["a","\\x"]',
    '42-1["x"]',
    '42abc["x"]',
    '431{}',
    '442["some","data"',
    '44{}',
    '451',
    '45a-',
    '451.23-',
    '45-1-',
    '4511-["x"]',
    '45999999999-["x"]',
    '450-["e"]',
    '40',
    '40{}',
    '40[]',
    '40"x"',
    '40{',
    '42/admin,["x"]',
    '7',
    'x',
    '\0',
    '4\0',
    `42${kDeep}`,
    'b4AAAA',
  ],
  survives: [
    '421["x"]',
    '42007["x"]',
    '439999[1]',
    '42["a","\\ud800"]',
    `42["${'x'.repeat(1000)}"]`,
    '3',
    '42["offer"]',
    '42["offer",null]',
    '42["a","b\\u0000"]',
    '42["x",{"_placeholder":true,"num":0}]',
  ],
  either: [
    '42',
    '43',
    '43[]',
    '431',
    '42[1]',
    '42["a",1e400]',
    '42\ufeff["x"]',
    '\ufeff42["x"]',
    '42 1["x"]',
    '421 ["x"]',
    '42123456789012345678901234567890["x"]',
    `42["x",${kDeep}${']'.repeat(100000)}]`,
    '0',
    '1',
    '2',
    '2probe',
    '3probe',
    '5',
    '6',
    '8',
    '',
    'b',
    '41/admin,',
    '40/admin',
    '40/admin?x=y,',
    `40/${kLong},`,
    `40/${kLong}`,
    '40/,{}',
    '451-/x,["e"]',
    '43/x,1[]',
    '4 ',
    `42[${'0,'.repeat(100000)}0]`,
    `42${'1'.repeat(100000)}["x"]`,
    `45${'9'.repeat(100000)}-["x"]`,
  ],
};

// Whether the client still gets an answer; otherwise its connection was closed.
async function survives(ws) {
  ws.send('42["join",{"roomId":"no-such-room"}]');
  for (;;) {
    const message = await ws.take();
    if (!message || message.opcode === kClose) return false;
    if (message.opcode === kText && message.data.includes('no-such-room')) return true;
  }
}

for (const [fate, packets] of Object.entries(kPackets)) {
  for (const packet of packets) {
    test(`packet ${JSON.stringify(packet).slice(0, 50)}: ${fate}`, async () => {
      const ws = await RawWebSocket.connect(server);
      ws.send(packet);
      // Where anything goes, the relay between the others is the fence: no answer is owed.
      if (fate !== 'either') assert.equal(await survives(ws), fate === 'survives');
      await witnesses.assertUnharmed();
      ws.close();
    });
  }
}

for (const packet of [
  '42["x"]',
  '41',
  '43',
  '451-["x"]',
  '4',
  'x',
  '42["join",{"roomId":"no-such-room"}]',
]) {
  test(`packet ${packet} before CONNECT: closes`, async () => {
    const ws = await RawWebSocket.open(server);
    await ws.takeText();
    ws.send(packet);
    ws.send('40');
    await ws.closeCode();
    await witnesses.assertUnharmed();
  });
}

const text = (payload) => ({ payload });
const binary = (payload = [1]) => ({ opcode: kBinary, payload });
for (const [name, frames, fate] of [
  ['binary that nobody announced', [binary()], 'closes'],
  [
    'a text event while an attachment is due',
    [text(`451-["e",${kPlaceholder}]`), text('42["x"]')],
    'closes',
  ],
  [
    'a placeholder that is no number',
    [text('451-["e",{"_placeholder":true,"num":"splice"}]'), binary()],
    'closes',
  ],
  [
    'a placeholder out of range',
    [text('451-["e",{"_placeholder":true,"num":7}]'), binary()],
    'closes',
  ],
  [
    'a negative placeholder',
    [text('451-["e",{"_placeholder":true,"num":-1}]'), binary()],
    'closes',
  ],
  [
    'one attachment used twice',
    [text(`451-["e",${kPlaceholder},${kPlaceholder}]`), binary()],
    'either',
  ],
  ['an attachment that is not used', [text('451-["e"]'), binary()], 'either'],
  ['one attachment too many', [text(`451-["e",${kPlaceholder}]`), binary(), binary()], 'closes'],
  ['attachments that never come', [text(`4510-["e",${kPlaceholder}]`), binary()], 'either'],
  ['an unmasked frame', [{ masked: false, payload: '3' }], 'either'],
  ['a reserved bit', [{ rsv: 4, payload: '3' }], 'closes'],
  ['an unknown opcode', [{ opcode: 3, payload: '3' }], 'closes'],
  ['an unknown control opcode', [{ opcode: 11 }], 'closes'],
  ['a control frame in fragments', [{ opcode: 9, fin: false }], 'closes'],
  ['a control frame that is too long', [{ opcode: 9, payload: 'x'.repeat(126) }], 'closes'],
  ['a continuation of nothing', [{ opcode: 0, payload: '3' }], 'closes'],
  ['a new message inside another', [{ fin: false, payload: '4' }, text('3')], 'closes'],
  ['a length of 2^40', [{ length: 2 ** 40, payload: 'x' }], 'closes'],
  ['invalid UTF-8', [text(Buffer.from([0x34, 0x32, 0xff]))], 'closes'],
  ['a close frame with a reserved code', [{ opcode: kClose, payload: [3, 0xed] }], 'closes'],
  ['a close frame of one byte', [{ opcode: kClose, payload: 'x' }], 'closes'],
  [
    'fragments with a ping between',
    [
      { fin: false, payload: '42["jo' },
      { opcode: 0, fin: false },
      { opcode: 9, payload: 'p' },
      { opcode: 0, payload: 'in",{"roomId":"q"}]' },
    ],
    'survives',
  ],
  [
    'many empty fragments',
    [{ fin: false, payload: '3' }, ...Array(5000).fill({ opcode: 0, fin: false })],
    'either',
  ],
  ['many pings', Array(5000).fill({ opcode: 9, payload: 'ping' }), 'either'],
  ['many small messages', Array(5000).fill(text('3')), 'either'],
]) {
  test(`frames: ${name}: ${fate}`, async () => {
    const ws = await RawWebSocket.connect(server);
    for (const each of frames) ws.sendFrame(each);
    if (fate !== 'either') assert.equal(await survives(ws), fate === 'survives');
    await witnesses.assertUnharmed();
    ws.close();
  });
}

for (const [name, payload] of [
  ['empty', ''],
  ['a separator', '\x1e'],
  ['many separators', '\x1e'.repeat(100000)],
  ['many packets', Array(100000).fill('3').join('\x1e')],
  ['an unknown type', 'z'],
  ['bad base64', 'b!!!!'],
  ['a packet after the close', '1\x1e42["x"]'],
  ['invalid UTF-8', Buffer.from([0x34, 0x32, 0xff])],
  ['NUL', '\0'],
  ['an event before CONNECT', '42["x"]'],
]) {
  test(`polling payload: ${name}`, async () => {
    for (const open of [RawPolling.open, RawPolling.connect]) {
      const polling = await open(server);
      const { status } = await polling.post(payload);
      assert.ok(status === 200 || (status >= 400 && status < 500), `${status}`);
      await witnesses.assertUnharmed();
    }
  });
}
