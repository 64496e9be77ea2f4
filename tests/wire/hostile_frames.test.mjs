// Hostile WebSocket frames: each ends its connection with the code that RFC 6455 has for it, or is taken.
// The codes are those of ws 8, which engine.io uses; where it ends a session for what is in a frame it
// gives no code, and we give 1000.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { frame, kBinary, kClose, kText, RawWebSocket } from '../lib/raw.mjs';
import { startWitnessed } from '../lib/witnessed.mjs';

let server;
before(async () => {
  server = await startWitnessed();
});
after(() => server.stop());

const kContinuation = 0;
const kPing = 9;
const kPong = 10;
const kNormal = 1000;
const kProtocol = 1002;
const kInvalidData = 1007;
const kTooBig = 1009;
const kMaxPayload = 1000000;

const text = (payload) => ({ payload });
const first = (payload) => ({ fin: false, payload });
const more = (payload) => ({ opcode: kContinuation, fin: false, payload });
const last = (payload) => ({ opcode: kContinuation, payload });
const ping = (payload) => ({ opcode: kPing, payload });
const closing = (...payload) => ({ opcode: kClose, payload });
const bytes = (...values) => Buffer.from(values);
// A frame of bytes as they are, for what `frame` cannot express. Masked with zeros.
const raw = (...values) => ({ raw: bytes(...values) });

const kJoin = '42["join",{"roomId":"no-such-room"}]';
const sendAll = (ws, frames) =>
  ws.connection.write(Buffer.concat(frames.map((each) => each.raw ?? frame(each))));

// Whether an event is still answered; otherwise the code of the close frame, null without one. Pongs
// and the answers to other packets are passed over.
async function fateOf(ws) {
  ws.send(kJoin);
  for (;;) {
    const message = await ws.take();
    if (message === null) return null;
    if (message.opcode === kClose)
      return message.data.length < 2 ? 1005 : message.data.readUInt16BE(0);
    if (message.opcode === kText && message.data.includes('no-such-room')) return 'lives';
  }
}

const kUntold = 'libwebsockets does not tell';
const kNoCode = 'libwebsockets ends it without a code';
const kCheap = 'they cost their bytes and no more';
for (const [name, frames, fate, why] of [
  ['reserved bit 1, which compression would use', [{ rsv: 4, payload: '3' }], kProtocol],
  ['reserved bit 2', [{ rsv: 2, payload: '3' }], kProtocol],
  ['reserved bit 3', [{ rsv: 1, payload: '3' }], kProtocol],
  ['all reserved bits of a ping', [{ rsv: 7, opcode: kPing }], kProtocol],
  ['a reserved bit of a continuation', [first('3'), { ...last(''), rsv: 4 }], kProtocol],
  ['opcode 3', [{ opcode: 3, payload: '3' }], kProtocol],
  ['opcode 7', [{ opcode: 7, payload: '3' }], kProtocol],
  ['opcode 11', [{ opcode: 11 }], kProtocol],
  ['opcode 15', [{ opcode: 15 }], kProtocol],
  ['an unmasked text', [{ masked: false, payload: '3' }], 'lives', kUntold],
  ['an unmasked ping', [{ masked: false, opcode: kPing }], 'lives', kUntold],
  ['a ping in fragments', [{ ...ping(''), fin: false }], kProtocol],
  ['a close frame in fragments', [{ ...closing(3, 0xe8), fin: false }], kProtocol],
  ['a ping of 126 bytes', [ping('x'.repeat(126))], null, kNoCode],
  ['a close frame of 126 bytes', [closing(...Buffer.alloc(126, 3))], null, kNoCode],
  ['a continuation of nothing', [last('3')], kProtocol],
  ['a continuation behind the last one', [first('3'), last(''), last('')], kProtocol],
  ['a new text inside another', [first('3'), text('3')], kProtocol],
  ['binary inside a text', [first('3'), { opcode: kBinary, payload: 'x' }], kProtocol],
  ['a length of 2^40', [{ length: 2 ** 40, payload: 'x' }], kTooBig],
  ['a length of 2^53', [{ length: 2 ** 53, payload: 'x' }], kTooBig],
  ['a length of 2^63', [raw(0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)], null, kNoCode],
  ['a length of 2^64 - 1', [raw(0x81, 0xff, ...Buffer.alloc(8, 0xff), 0, 0, 0, 0)], null, kNoCode],
  ['maxPayload + 1 bytes', [{ length: kMaxPayload + 1, payload: 'x' }], kTooBig],
  ['fragments of maxPayload + 1 bytes', [first('x'.repeat(kMaxPayload)), more('x')], kTooBig],
  ['a text of 16-bit length 0', [raw(0x81, 0xfe, 0, 0, 0, 0, 0, 0)], kNormal],
  ['a text of 16-bit length 1', [raw(0x81, 0xfe, 0, 1, 0, 0, 0, 0, 0x33)], 'lives'],
  [
    'a text of 64-bit length 1',
    [raw(0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x33)],
    'lives',
  ],
  ['an empty text', [text('')], kNormal],
  ['an empty text in fragments', [first(''), more(''), last('')], kNormal],
  ['invalid UTF-8', [text(bytes(0x33, 0xff))], kInvalidData],
  ['UTF-8 that breaks off', [text(bytes(0x33, 0xe2, 0x82))], kInvalidData],
  ['a surrogate in UTF-8', [text(bytes(0x33, 0xed, 0xa0, 0x80))], kInvalidData],
  ['an overlong sequence', [text(bytes(0x33, 0xc0, 0xaf))], kInvalidData],
  ['a code point beyond Unicode', [text(bytes(0x33, 0xf4, 0x90, 0x80, 0x80))], kInvalidData],
  [
    'UTF-8 that breaks off between fragments',
    [first(bytes(0x33, 0xe2)), last(bytes(0x33))],
    kInvalidData,
  ],
  [
    'UTF-8 cut by fragments',
    [first(bytes(0x33, 0xe2)), more(bytes(0x82)), last(bytes(0xac))],
    'lives',
  ],
  ['a close frame of one byte', [closing(3)], 1005, 'taken for none'],
  ['a close frame without a code', [closing()], 1005],
  ['close code 0', [closing(0, 0)], kProtocol],
  ['close code 999', [closing(3, 0xe7)], kProtocol],
  ['close code 1004', [closing(3, 0xec)], kProtocol],
  ['close code 1005', [closing(3, 0xed)], kProtocol],
  ['close code 1006', [closing(3, 0xee)], kProtocol],
  ['close code 1015', [closing(3, 0xf7)], kProtocol],
  ['close code 2999', [closing(0x0b, 0xb7)], kProtocol],
  ['close code 3000', [closing(0x0b, 0xb8)], 3000],
  ['close code 5000', [closing(0x13, 0x88)], 5000, 'it is the end either way'],
  ['a close reason that is no UTF-8', [closing(3, 0xe8, 0xff)], null, kNoCode],
  ['a text behind a close frame', [closing(3, 0xe8), text('3')], kNormal],
  ['an invalid frame behind a close frame', [closing(3, 0xe8), { rsv: 7 }], null, kNoCode],
  ['a pong that nobody asked for', [{ opcode: kPong, payload: 'x' }], 'lives'],
  ['a ping between fragments', [first('42["x'), ping('p'), last('"]')], 'lives'],
  ['binary that nobody announced', [{ opcode: kBinary, payload: [1] }], kNormal],
  ['empty binary', [{ opcode: kBinary }], kNormal],
  ['10,000 pings', Array(10000).fill(ping('ping')), 'lives'],
  ['10,000 pongs', Array(10000).fill({ opcode: kPong }), 'lives'],
  ['20,000 small messages', Array(20000).fill(text('3')), 'lives'],
  // CVE-2026-48779: fragments that cost more than they carry.
  [
    '30,000 fragments of a byte',
    [first('3'), ...Array(30000).fill(more('x')), last('')],
    'lives',
    kCheap,
  ],
  [
    '30,000 empty fragments',
    [first('3'), ...Array(30000).fill(more('')), last('')],
    'lives',
    kCheap,
  ],
  [
    'a message without end in fragments of a kilobyte',
    [first('3'), ...Array(1000).fill(more('x'.repeat(1001)))],
    kTooBig,
  ],
]) {
  const end = typeof fate === 'string' ? fate : (fate ?? 'the end');
  test(`${name}: ${end}${why ? ` (other than engine.io: ${why})` : ''}`, async () => {
    const ws = await RawWebSocket.connect(server);
    try {
      sendAll(ws, frames);
      const actual = await fateOf(ws);
      // What libwebsockets does about a code may change with it.
      if (why === kNoCode) assert.notEqual(actual, 'lives');
      else assert.equal(actual, fate);
    } finally {
      ws.close();
    }
    await server.assertUnharmed();
  });
}

// CVE-2022-21676: a frame that is wrong before the session is open, in one packet with the request and not.
for (const [name, frames, expected] of [
  ['binary', [{ opcode: kBinary, payload: [1] }], kNormal],
  ['an invalid frame', [{ rsv: 7, payload: 'x' }], kProtocol],
  ['invalid UTF-8', [text(bytes(0xff))], kInvalidData],
  ['half a frame', [raw(0x81, 0xfe)], 'nothing'],
  ['a fragment', [first('4')], 'nothing'],
  ['a ping', [ping('x')], 'nothing'],
  ['a close frame', [closing(3, 0xe8)], kNormal],
]) {
  test(`${name} as the first frame: ${expected}`, async () => {
    const ws = await RawWebSocket.open(server);
    sendAll(ws, frames);
    assert.match(await ws.takeText(), /^0\{"sid":/);
    if (expected === 'nothing') ws.connection.reset();
    else assert.equal(await ws.closeCode(), expected);
    ws.close();
    await server.assertUnharmed();
  });
}
