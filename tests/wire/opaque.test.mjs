// The payload of a relay is opaque: its JSON text arrives byte for byte, and it is neither stored nor
// logged.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawWebSocket } from '../lib/raw.mjs';

let server;
let sender;
let receiver;
before(async () => {
  server = await startServer();
  const roomId = longRoom();
  await createRoom(server, roomId);
  receiver = await RawWebSocket.connect(server);
  sender = await RawWebSocket.connect(server);
  assert.deepEqual(await receiver.join(roomId), joined(roomId));
  assert.deepEqual(await sender.join(roomId), joined(roomId));
  assert.match(await receiver.takeText(), /^42\["ready"/);
});
after(async () => {
  sender.close();
  receiver.close();
  await server.stop();
});

const kPayloads = {
  plain: '{"type":"offer","sdp":"v=0"}',
  'odd spacing': '{ "a" :\t[ 1 ,\n 2 ,\r\n{ } , [ ] ] }',
  'escapes that need not be': '"\\u0041\\/\\u00e9\\ud83d\\ude00"',
  'escapes that must be': '"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f"',
  'a lone surrogate in an escape': '"\\ud800"',
  'UTF-8': '"é 部 😀 \u2028 \u007f"',
  'capital escapes': '"\\u00E9\\uD83D\\uDE00"',
  'huge numbers': '[1e400,-1e400,123456789012345678901234567890,1E+5,1e-400,-0,0.10,-0.0e0]',
  'duplicate keys': '{"a":1,"a":2,"a":{"a":1,"a":2}}',
  'keys of the envelope': '{"peerId":"x","from":"y","offer":{"peerId":null},"_placeholder":true}',
  __proto__: '{"__proto__":{"toString":1},"constructor":null}',
  'an empty key': '{"":""}',
  'a string': '"text"',
  'a number': '0',
  null: 'null',
  false: 'false',
  'an empty object': '{}',
  'brackets in strings': '"]}\\"],[{\\\\"',
  'some depth': `${'['.repeat(50)}${']'.repeat(50)}`,
  length: JSON.stringify('x'.repeat(200000)),
};

for (const [name, payload] of Object.entries(kPayloads)) {
  test(`payload: ${name}`, async () => {
    for (const [event, member] of [
      ['offer', 'offer'],
      ['answer', 'answer'],
      ['ice-candidate', 'candidate'],
    ]) {
      const from = JSON.stringify(` ${name} `);
      sender.send(
        `42["${event}",{"peerId":"${receiver.id}","from":${from},"${member}":${payload}}]`,
      );
      const text = await receiver.takeText();
      assert.ok(text.startsWith(`42["${event}",{`), text.slice(0, 200));
      assert.ok(text.includes(`"${member}":${payload}`), text.slice(0, 500));
      assert.ok(text.includes(`"from":${from}`), text.slice(0, 500));
      assert.ok(text.includes(`"peerId":"${sender.id}"`), text.slice(0, 500));
      if (name !== 'duplicate keys') JSON.parse(text.slice(2));
    }
  });
}

test('spacing and order of the envelope, and unknown members, do not matter', async () => {
  for (const text of [
    `42[ "offer" , { "offer" : [ 1 ] , "peerId" : "${receiver.id}" } ]`,
    `42["offer",{"x":{"offer":0,"peerId":"no"},"offer":[ 1 ],"y":[{}],"peerId":"${receiver.id}"}]`,
    `42["offer",{"offer":[ 1 ],"peerId":"${receiver.id}"},"more",{"arguments":2}]`,
    `42["\\u006fffer",{"\\u006fffer":[ 1 ],"peer\\u0049d":"${receiver.id}"}]`,
  ]) {
    sender.send(text);
    const received = await receiver.takeText();
    const [event, { offer, peerId }, ...rest] = JSON.parse(received.slice(2));
    assert.deepEqual([event, offer, peerId, rest], ['offer', [1], sender.id, []]);
  }
});

test('the payload is in no log and in no key', async () => {
  const secret = 'candidate:842163049 1 udp 1677729535 198.51.100.77';
  sender.send(`42["ice-candidate",{"peerId":"${receiver.id}","candidate":"${secret}"}]`);
  await receiver.takeText();
  sender.send(`42["ice-candidate",{"peerId":"nobody-here","candidate":"${secret}"}]`);
  sender.send(`42["ice-candidate",{"peerId":5,"candidate":"${secret}"}]`);
  sender.send(`42["ice-candidate",{"peerId":"${receiver.id}","candidate":"fence"}]`);
  assert.match(await receiver.takeText(), /fence/);
  assert.ok(!server.hostd.log.includes('842163049'));
  for (const key of await server.redis.command('KEYS', '*')) {
    const dump = await server.redis.command('DUMP', key);
    assert.ok(!String(dump).includes('842163049'), key);
  }
});
