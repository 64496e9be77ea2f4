// Hostile events: whatever payload a client sends, the server goes on relaying between others.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { longRoom, meet, meetWitnesses, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';

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
const kValues = [
  undefined,
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'text',
  [],
  [null],
  [[]],
  {},
  { a: 1 },
  kLong,
  { roomId: null },
  { roomId: 5 },
  { roomId: {} },
  { roomId: [] },
  { roomId: ['x'] },
  { roomId: '' },
  { roomId: kLong },
  { roomId: 'a\r\nDEL room:x' },
  { roomId: 'a\0b' },
  { roomId: '__proto__' },
  { roomId: 'a b' },
  { peerId: null },
  { peerId: 5 },
  { peerId: {} },
  { peerId: [] },
  { peerId: '' },
  { peerId: kLong },
  { peerId: 'a\r\nb\0c' },
  { peerId: '__proto__', offer: {} },
  { roomId: kLong, peerId: kLong, offer: kLong },
  Buffer.from('bytes'),
  { roomId: Buffer.from('bytes') },
  { peerId: Buffer.from('bytes') },
];

for (const event of [
  'join',
  'offer',
  'answer',
  'ice-candidate',
  'initiator-online',
  'recipient-ready',
  'joinResponse',
  'ready',
  'peer-disconnected',
  'unknown',
  '',
  '__proto__',
  'toString',
  kLong,
]) {
  for (const bound of [true, false]) {
    test(`"${event.slice(0, 30)}" with any payload from a client ${bound ? 'in' : 'outside'} a room`, async () => {
      const roomId = longRoom();
      const peer = bound
        ? (await meet(server, 1, { roomId })).peers[0]
        : await Peer.connect(server);
      for (const value of kValues) {
        if (value === undefined) peer.emit(event);
        else peer.emit(event, value);
        peer.emit(event, value, value, () => {});
      }
      // It lives on itself, and is where it was. What came before are answers to its joins.
      peer.emit('join', { roomId });
      for (let answer; answer?.roomId !== roomId;) {
        answer = await peer.take('joinResponse');
        assert.equal(
          answer.success,
          bound && answer.roomId === roomId,
          JSON.stringify(answer).slice(0, 200),
        );
      }
      await witnesses.assertUnharmed();
      await peer.close();
    });
  }
}

test('hostile room ids reach no key', async () => {
  for (const key of await server.redis.command('KEYS', '*')) {
    assert.ok(key.length < 200 && /^[\x21-\x7e]+$/.test(key), key.slice(0, 100));
  }
});
