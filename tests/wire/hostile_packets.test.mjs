// Hostile packets: what is no packet of Engine.IO or Socket.IO ends its session; what is one, and means
// nothing here, is passed over; and the server goes on relaying between others.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kBinary, kClose, kText, RawPolling, RawWebSocket } from '../lib/raw.mjs';
import { startWitnessed } from '../lib/witnessed.mjs';

let server;
before(async () => {
  server = await startWitnessed();
});
after(() => server.stop());

const kMaxPayload = 1000000;
const kLong = 'x'.repeat(100000);
const kMegabyte = 'x'.repeat(kMaxPayload - 100);
const kOpen = '['.repeat(100000);
const kClosed = ']'.repeat(100000);
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const invalidNamespace = (nsp) => `44${nsp},{"message":"Invalid namespace"}`;

// What became of a client that sent this: "ends", "ignored", or what it was answered.
async function fateOf(ws) {
  const answers = [];
  ws.send('42["join",{"roomId":"no-such-room"}]');
  for (;;) {
    const message = await ws.take();
    if (!message || message.opcode === kClose) return 'ends';
    const text = message.data.toString();
    if (message.opcode === kText && text.includes('"no-such-room"')) break;
    answers.push(text);
  }
  return answers.join(' ') || 'ignored';
}

const shown = (packet) => JSON.stringify(packet).slice(0, 60);
const because = (why) => (why ? ` (other than socket.io: ${why})` : '');

// The fates are those that socket.io-parser 4.2.7 and engine.io 6.6.12 have in store for a packet; where
// ours is another, the third of a row says why.
const kDepth = 'nesting is bounded';
const kId = 'it loses digits';
const kQuery = 'a query names no other namespace';
const kPackets = [
  // Engine.IO.
  ['', 'ends'],
  ['\0', 'ends'],
  ['x', 'ends'],
  ['7', 'ends'],
  ['8', 'ends'],
  ['\ufeff42["x"]', 'ends'],
  [' 42["x"]', 'ends'],
  ['0', 'ignored'],
  ['1', 'ends', 'it waits for the close frame'],
  ['2', 'ends'],
  ['2probe', 'ends'],
  ['3', 'ignored'],
  ['3probe', 'ignored'],
  ['5', 'ignored'],
  ['6', 'ignored'],
  ['b', 'ends'],
  ['b4AAAA', 'ends'],
  ['bQUJD', 'ends'],
  ['4\x1e4', 'ends'],

  // The type.
  ['4', 'ends'],
  ['4 ', 'ends'],
  ['4\0', 'ends'],
  ['4a', 'ends'],
  ['4-1', 'ends'],
  ['47', 'ends'],
  ['49', 'ends'],
  ['4999', 'ends'],
  ['4\u0664', 'ends'],

  // CONNECT, again and to others.
  ['40', 'ends'],
  ['40{}', 'ends'],
  ['40[]', 'ends'],
  ['40"x"', 'ends'],
  ['40{', 'ends'],
  ['40null', 'ends'],
  ['40/,{}', 'ends'],
  ['40/', 'ends'],
  ['40/admin', invalidNamespace('/admin')],
  ['40/admin,', invalidNamespace('/admin')],
  ['40/admin,{}', invalidNamespace('/admin')],
  ['40/admin,[]', 'ends'],
  ['40/admin,"x"', 'ends'],
  ['40/admin,{', 'ends'],
  ['40/admin{}', invalidNamespace('/admin{}')],
  ['40/__proto__,', invalidNamespace('/__proto__')],
  ['40/constructor,', invalidNamespace('/constructor')],
  ['40//,', invalidNamespace('//')],
  ['40/\u0000,', invalidNamespace('/\u0000')],
  ['40/"},', invalidNamespace('/"}')],
  ['40/admin?x=y,', invalidNamespace('/admin'), kQuery],
  ['40/?x=y,', 'ends', kQuery],
  [`40/${kLong},`, invalidNamespace(`/${kLong}`)],
  [`40/${kLong}`, invalidNamespace(`/${kLong}`)],
  [`40/${kMegabyte},`, invalidNamespace(`/${kMegabyte}`)],
  [`40/admin,{"a":${nested(30)}}`, invalidNamespace('/admin')],
  [`40/admin,{"a":${nested(10000)}}`, 'ends', kDepth],

  // Other types, and other namespaces.
  ['41', 'ends'],
  ['41/admin,', 'ends'],
  ['42/admin,["x"]', 'ends'],
  ['43/admin,1[]', 'ends'],
  ['43/x,1[]', 'ends'],
  ['451-/x,["e"]', 'ends'],
  ['44', 'ends'],
  ['44{}', 'ends'],
  ['44/admin,{}', 'ends'],
  ['442["some","data"', 'ends'],
  ['41{}', 'ends'],
  ['41null', 'ends'],

  // Events.
  ['42', 'ignored'],
  ['42 ', 'ignored'],
  ['42{}', 'ends'],
  ['42"x"', 'ends'],
  ['42[]', 'ends'],
  ['42[null]', 'ends'],
  ['42[true,1]', 'ends'],
  ['42[{"toString":"x"}]', 'ends'],
  ['42[["x"]]', 'ends'],
  ['42[1]', 'ignored'],
  ['42[1e400]', 'ignored'],
  ['42[""]', 'ignored'],
  ['42["__proto__",{}]', 'ignored'],
  ['42["constructor"]', 'ignored'],
  ['42["connect"]', 'ends'],
  ['42["connect_error"]', 'ends'],
  ['42["disconnect"]', 'ends'],
  ['42["disconnecting"]', 'ends'],
  ['42["newListener"]', 'ends'],
  ['42["removeListener"]', 'ends'],
  ['42["\\u0063onnect"]', 'ends'],
  ['42["Connect"]', 'ignored'],
  ['42["error"]', 'ignored'],
  ['42["offer"]', 'ignored'],
  ['42["offer",null]', 'ignored'],
  ['42["join"]', 'ignored'],
  ['42["join",5]', 'ignored'],
  ['42["offer",{"_placeholder":true,"num":0}]', 'ignored'],
  ['42["offer",{"peerId":{"_placeholder":true,"num":9}}]', 'ignored'],
  [`42["${kMegabyte}"]`, 'ignored'],
  [`42["x","${kMegabyte}"]`, 'ignored'],
  [`42["x"${',0'.repeat(100000)}]`, 'ignored', 'its process ends of that'],
  [`42["x",{${'"a":0,'.repeat(100000)}"a":1}]`, 'ignored'],

  // JSON.
  ['42["x"', 'ends'],
  ['42["x"]x', 'ends'],
  ['42["x"] \n\t', 'ignored'],
  ['42["x"]\0', 'ends'],
  ['42["x"]\ufeff', 'ends'],
  ['42\ufeff["x"]', 'ends', 'it reads a 0 there'],
  ['42[\u00a0"x"]', 'ends'],
  ['42[NaN]', 'ends'],
  ['42["x",NaN]', 'ends'],
  ['42["x",Infinity]', 'ends'],
  ['42["x",undefined]', 'ends'],
  ['42["x",0x10]', 'ends'],
  ['42["x",01]', 'ends'],
  ['42["x",1.]', 'ends'],
  ['42["x",.5]', 'ends'],
  ['42["x",+1]', 'ends'],
  ['42["x",-]', 'ends'],
  ['42["x",]', 'ends'],
  ['42["x",,1]', 'ends'],
  ["42['x']", 'ends'],
  ['42["x",{a:1}]', 'ends'],
  ['42["x",{"a":1,}]', 'ends'],
  ['42["x"]//', 'ends'],
  ['42["a","\\x"]', 'ends'],
  ['42["a","\\u12"]', 'ends'],
  ['42["a","\t"]', 'ends'],
  ['42["a","\u0000"]', 'ends'],
  ['42["a","\\u0000"]', 'ignored'],
  ['42["a","\\ud800"]', 'ignored'],
  ['42["\\ud800"]', 'ignored'],
  ['42["a",{"a":1,"a":2}]', 'ignored'],
  ['42["a",{"__proto__":{"a":1}}]', 'ignored'],
  ['42["a",1e400]', 'ignored'],
  ['42["a",-0]', 'ignored'],
  [`42${kOpen}`, 'ends'],
  [`42["x",${kOpen}${kClosed}]`, 'ends', kDepth],
  [`42["x",${nested(60)}]`, 'ignored'],
  [`42["x",${'{"a":'.repeat(50000)}`, 'ends'],
  [`42["x",${'"'.repeat(100001)}`, 'ends'],
  [`42["x","${'\\u0000'.repeat(100000)}"]`, 'ignored'],

  // Acknowledgements, asked for and given.
  ['421["x"]', 'ignored'],
  ['42007["x"]', 'ignored'],
  ['42 1["x"]', 'ignored'],
  ['421 ["x"]', 'ignored'],
  ['42-1["x"]', 'ends'],
  ['421.5["x"]', 'ends'],
  ['421e3["x"]', 'ends'],
  ['42abc["x"]', 'ends'],
  ['429007199254740991["x"]', 'ignored'],
  ['429007199254740993["x"]', 'ends', kId],
  ['42123456789012345678901234567890["x"]', 'ends', kId],
  [`42${'1'.repeat(100000)}["x"]`, 'ends', kId],
  ['43', 'ignored'],
  ['43[]', 'ignored'],
  ['431', 'ignored'],
  ['439999[1]', 'ignored'],
  ['431{}', 'ends'],
  ['431"x"', 'ends'],
  ['431[', 'ends'],
  ['43-1[]', 'ends'],

  // Attachments.
  ['45', 'ends'],
  ['46', 'ends'],
  ['451', 'ends'],
  ['451["x"]', 'ends'],
  ['45-["x"]', 'ends'],
  ['45a-["x"]', 'ends'],
  ['451.23-["x"]', 'ends'],
  ['45-1-["x"]', 'ends'],
  ['450-["e"]', 'ends'], // CVE-2026-69185
  ['460-["e"]', 'ends'],
  ['4511-["x"]', 'ends'], // CVE-2026-33151
  ['45999999999-["x"]', 'ends'],
  [`45${'9'.repeat(100000)}-["x"]`, 'ends'],
  ['451e1-["x"]', 'ends'],
  ['450x1-["x"]', 'ends'],
  ['451-', 'ends'],
  ['451-{}', 'ends'],
  ['451-[]', 'ends'],
  ['451-["connect"]', 'ends'],
  ['461-{}', 'ends'],
];

for (const [packet, fate, why] of kPackets) {
  const end = ['ends', 'ignored'].includes(fate) ? fate : 'answered';
  test(`packet ${shown(packet)}: ${end}${because(why)}`, async () => {
    const ws = await RawWebSocket.connect(server);
    try {
      ws.send(packet);
      assert.equal(await fateOf(ws), fate);
    } finally {
      ws.close();
    }
    await server.assertUnharmed();
  });
}

// Before CONNECT nothing else is taken.
for (const [packet, fate, why] of [
  ['4', 'ends'],
  ['4 ', 'ends', 'it reads a 0 there'],
  ['40', 'taken'],
  ['40{}', 'taken'],
  ['40/', 'taken'],
  ['40/,', 'taken'],
  ['40/,{"token":"x"}', 'taken'],
  ['40[]', 'ends'],
  ['40"x"', 'ends'],
  ['40null', 'ends'],
  ['40/admin', 'refused'],
  ['41', 'ends'],
  ['42["x"]', 'ends'],
  ['42["join",{"roomId":"no-such-room"}]', 'ends'],
  ['43', 'ends'],
  ['431[]', 'ends'],
  ['44{}', 'ends'],
  ['451-["x"]', 'ends'],
  ['x', 'ends'],
]) {
  test(`packet ${packet} before CONNECT: ${fate}${because(why)}`, async () => {
    const ws = await RawWebSocket.open(server);
    await ws.takeText();
    ws.send(packet);
    if (packet === '451-["x"]') ws.sendFrame({ opcode: kBinary, payload: [1] });
    if (fate === 'taken') assert.match(await ws.takeText(), /^40\{"sid":"[\w-]{20}"\}$/);
    else if (fate === 'refused') assert.equal(await ws.takeText(), invalidNamespace('/admin'));
    else assert.notEqual(await ws.closeCode(), undefined);
    ws.close();
    await server.assertUnharmed();
  });
}

const kPlaceholder = '{"_placeholder":true,"num":0}';
const kAttachment = Symbol('a binary message of one byte');
const kMeant = 'each attachment is meant, by its number';
for (const [name, packets, fate, why] of [
  ['an attachment', [`451-["e",${kPlaceholder}]`, kAttachment], 'ignored'],
  ['an attachment of an ack', [`461-9[${kPlaceholder}]`, kAttachment], 'ignored'],
  ['binary that nobody announced', [kAttachment], 'ends'],
  ['a text while an attachment is due', [`451-["e",${kPlaceholder}]`, '42["x"]'], 'ends'],
  ['CONNECT while an attachment is due', [`451-["e",${kPlaceholder}]`, '40/admin'], 'ends'],
  ['a pong while an attachment is due', [`451-["e",${kPlaceholder}]`, '3', kAttachment], 'ignored'],
  ['one attachment too many', [`451-["e",${kPlaceholder}]`, kAttachment, kAttachment], 'ends'],
  ['attachments that never come', [`4510-["e",${kPlaceholder}]`, kAttachment], 'ends'],
  [
    'a number that is a text',
    ['451-["e",{"_placeholder":true,"num":"splice"}]', kAttachment],
    'ends',
  ],
  ['a number out of range', ['451-["e",{"_placeholder":true,"num":1}]', kAttachment], 'ends'],
  ['a negative number', ['451-["e",{"_placeholder":true,"num":-1}]', kAttachment], 'ends'],
  ['a fraction', ['451-["e",{"_placeholder":true,"num":0.5}]', kAttachment], 'ends', kMeant],
  ['a huge number', ['451-["e",{"_placeholder":true,"num":1e999}]', kAttachment], 'ends'],
  ['no number', ['451-["e",{"_placeholder":true}]', kAttachment], 'ends'],
  [
    'one attachment meant twice',
    [`451-["e",${kPlaceholder},${kPlaceholder}]`, kAttachment],
    'ignored',
  ],
  ['an attachment that nobody means', ['451-["e"]', kAttachment], 'ends', kMeant],
  [
    'a placeholder that is not true',
    ['451-["e",{"_placeholder":1,"num":0}]', kAttachment],
    'ends',
    kMeant,
  ],
  [
    'a placeholder in the depth',
    [`451-["e",${'['.repeat(50)}${kPlaceholder}${']'.repeat(50)}]`, kAttachment],
    'ignored',
  ],
  ['a placeholder for a name', [`451-[${kPlaceholder}]`, kAttachment], 'ends'],
]) {
  test(`attachments: ${name}: ${fate}${because(why)}`, async () => {
    const ws = await RawWebSocket.connect(server);
    try {
      for (const each of packets) {
        if (each === kAttachment) ws.sendFrame({ opcode: kBinary, payload: [1] });
        else ws.send(each);
      }
      assert.equal(await fateOf(ws), fate);
    } finally {
      ws.close();
    }
    await server.assertUnharmed();
  });
}

test('packets behind the one that ended the session are not taken', async () => {
  const polling = await RawPolling.connect(server);
  await polling.post('42[]\x1e42["join",{"roomId":"no-such-room"}]\x1e40/admin,');
  assert.match((await polling.poll()).text, /^(6\x1e)?1$/);
  await server.assertUnharmed();
});
