// The Socket.IO transport with the official client and by hand: handshakes, polling, WebSocket, upgrade.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, meet, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get, request } from '../lib/http.mjs';
import { kBinary, RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

const kOpened = { pingInterval: 25000, pingTimeout: 20000, maxPayload: 1000000 };

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const [name, transports, last] of [
  ['polling', ['polling'], 'polling'],
  ['websocket', ['websocket'], 'websocket'],
  ['upgrade', ['polling', 'websocket'], 'websocket'],
]) {
  test(`socket.io-client by ${name}: relay both ways, then a clean end`, async () => {
    const {
      roomId,
      peers: [a, b],
    } = await meet(server, 2, { transports });
    if (name === 'upgrade') {
      for (const peer of [a, b]) await eventually(() => peer.transport === 'websocket', 'upgrade');
    }
    assert.equal(a.transport, last);
    a.emit('offer', { peerId: b.id, from: a.id, offer: { sdp: 'ä😀' } });
    assert.deepEqual(await b.take('offer'), { offer: { sdp: 'ä😀' }, from: a.id, peerId: a.id });
    b.emit('answer', { peerId: a.id, from: b.id, answer: { sdp: 'x'.repeat(60000) } });
    assert.equal((await a.take('answer')).answer.sdp.length, 60000);
    const id = a.id;
    await a.close();
    assert.deepEqual(await b.take('peer-disconnected'), { peerId: id });
    await eventually(
      async () => (await server.redis.command('SCARD', `room:${roomId}:sockets`)) === 1,
      'unbinding',
    );
    assert.deepEqual(await server.redis.command('SMEMBERS', `room:${roomId}:sockets`), [b.id]);
    await b.close();
  });

  test(`binary attachments both ways by ${name}`, async () => {
    const {
      peers: [a, b],
      close,
    } = await meet(server, 2, { transports });
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 256));
    a.emit('offer', { peerId: b.id, from: a.id, offer: { parts: [bytes, Buffer.alloc(0)], n: 1 } });
    const { offer } = await b.take('offer');
    assert.deepEqual([Buffer.from(offer.parts[0]), offer.parts[1].length, offer.n], [bytes, 0, 1]);
    b.emit('answer', { peerId: a.id, from: b.id, answer: bytes });
    assert.deepEqual(Buffer.from((await a.take('answer')).answer), bytes);
    a.emit('ice-candidate', { peerId: b.id, from: a.id, candidate: 'text again' });
    assert.equal((await b.take('ice-candidate')).candidate, 'text again');
    await close();
  });

  test(`the session id is a secret of its own by ${name}`, async () => {
    const peer = await Peer.connect(server, { transports });
    assert.ok(peer.sid.length >= 20 && peer.id.length >= 20);
    for (let at = 0; at + 6 <= peer.sid.length; at++) {
      assert.ok(!peer.id.includes(peer.sid.slice(at, at + 6)), `${peer.sid} and ${peer.id}`);
    }
    const { status, json } = await get(
      server,
      `/socket.io/?EIO=4&transport=polling&sid=${peer.id}`,
    );
    assert.deepEqual([status, json?.code], [400, 1]);
    await peer.close();
  });

  test(`an unknown namespace is refused by ${name}`, async () => {
    await assert.rejects(Peer.connect(server, { transports, namespace: '/admin' }), {
      message: 'Invalid namespace',
    });
  });
}

test('open packet of polling', async () => {
  const { answer, opened } = await RawPolling.open(server);
  const { sid, ...rest } = opened;
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, { ...kOpened, upgrades: ['websocket'] });
  assert.equal(answer.text[0], '0');
  assert.match(answer.headers['content-type'], /^text\/plain; *charset=utf-8$/i);
});

test('open packet of websocket, and the answer to CONNECT', async () => {
  const ws = await RawWebSocket.open(server);
  const { sid, ...rest } = JSON.parse((await ws.takeText()).replace(/^0/, ''));
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, { ...kOpened, upgrades: [] });
  ws.send('40{"token":"ignored"}');
  assert.match(await ws.takeText(), /^40\{"sid":"[\w-]{20,}"\}$/);
  ws.close();
});

test('CONNECT to another namespace: refused beside a working main one', async () => {
  const ws = await RawWebSocket.connect(server);
  ws.send('40/admin,');
  assert.equal(await ws.takeText(), '44/admin,{"message":"Invalid namespace"}');
  assert.equal((await ws.join(longRoom())).message, 'Room does not exist');
  ws.close();
});

const kSession = '/socket.io/?EIO=4&transport=';
for (const [name, method, path, code] of [
  ['an unknown transport', 'GET', `${kSession}foo`, 0],
  ['no transport', 'GET', '/socket.io/?EIO=4', 0],
  ['transport __proto__', 'GET', `${kSession}__proto__`, 0],
  ['transport constructor', 'GET', `${kSession}constructor`, 0],
  ['a long transport', 'GET', `${kSession}${'x'.repeat(4000)}`, 0],
  ['an unknown session', 'GET', `${kSession}polling&sid=nobody`, 1],
  ['an unknown session in a POST', 'POST', `${kSession}polling&sid=nobody`, 1],
  ['session __proto__', 'GET', `${kSession}polling&sid=__proto__`, 1],
  ['a handshake by POST', 'POST', `${kSession}polling`, 2],
  ['a handshake by PUT', 'PUT', `${kSession}polling`, 2],
  ['websocket without an upgrade', 'GET', `${kSession}websocket`, 3],
  ['protocol 3', 'GET', '/socket.io/?EIO=3&transport=polling', 5],
  ['no protocol', 'GET', '/socket.io/?transport=polling', 5],
  ['protocol abc', 'GET', '/socket.io/?EIO=abc&transport=polling', 5],
]) {
  test(`${name}: error ${code}`, async () => {
    const { status, json } = await request(server, method, path);
    assert.deepEqual([status, json?.code], [400, code]);
    assert.equal(
      json.message,
      [
        'Transport unknown',
        'Session ID unknown',
        'Bad handshake method',
        'Bad request',
        'Forbidden',
        'Unsupported protocol version',
      ][code],
    );
  });
}

test('a session is asked for with its own transport and protocol only', async () => {
  const ws = await RawWebSocket.connect(server);
  const polling = await RawPolling.open(server);
  for (const path of [
    `${kSession}polling&sid=${ws.sid}`,
    `${kSession}websocket&sid=${polling.sid}`,
    `/socket.io/?EIO=3&transport=polling&sid=${polling.sid}`,
    `/socket.io/?transport=polling&sid=${polling.sid}`,
  ]) {
    const { status, json } = await get(server, path);
    assert.deepEqual([status, json?.code], [400, 3], path);
  }
  assert.equal((await polling.post('40')).status, 200, 'the session is unharmed');
  assert.equal((await ws.join(longRoom())).success, false);
  ws.close();
});

test('the path works with and without its trailing slash as it does upstream', async () => {
  assert.equal((await get(server, '/socket.io/?EIO=4&transport=polling')).status, 200);
  assert.equal((await get(server, '/socket.io/?transport=polling&EIO=4&t=abc&b64=1')).status, 200);
});

test('polls that overlap close the session', async () => {
  const polling = await RawPolling.connect(server);
  const answers = await Promise.allSettled([polling.poll(), polling.poll()]);
  assert.equal(answers.length, 2);
  await eventually(async () => !(await sessionLives(server, polling.sid)), 'end of the session');
});

test('a payload of several packets is taken in order', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  const polling = await RawPolling.connect(server);
  const join = `42["join",{"roomId":"${roomId}"}]`;
  const { status, text } = await polling.post([join, '3', join].join('\x1e'));
  assert.deepEqual([status, text.toLowerCase()], [200, 'ok']);
  for (let count = 0; count < 2; count++) {
    assert.deepEqual(JSON.parse((await polling.take()).slice(2)), ['joinResponse', joined(roomId)]);
  }
});

test('binary over polling is base64 both ways', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(server, 1);
  const polling = await RawPolling.connect(server);
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  await polling.take();
  await a.take('ready');
  const head = { peerId: a.id, from: 'me', offer: { _placeholder: true, num: 0 } };
  await polling.post(
    `451-${JSON.stringify(['offer', head])}\x1eb${Buffer.from([0, 255, 128]).toString('base64')}`,
  );
  assert.deepEqual(Buffer.from((await a.take('offer')).offer), Buffer.from([0, 255, 128]));
  a.emit('answer', { peerId: polling.id, from: a.id, answer: Buffer.from('four') });
  assert.match(await polling.take(), /^451-\["answer",/);
  assert.equal(await polling.take(), `b${Buffer.from('four').toString('base64')}`);
  await a.close();
});

test('binary over websocket: the attachment follows as a binary frame', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(server, 1);
  const ws = await RawWebSocket.connect(server);
  await ws.join(roomId);
  a.emit('offer', { peerId: ws.id, from: a.id, offer: Buffer.from([1, 2, 3]) });
  assert.match(await ws.takeText(), /^451-\["offer",\{.*"_placeholder":true,"num":0/);
  const { opcode, data } = await ws.take();
  assert.deepEqual([opcode, data], [kBinary, Buffer.from([1, 2, 3])]);
  ws.send(`451-["answer",{"peerId":"${a.id}","answer":{"_placeholder":true,"num":0}}]`);
  ws.sendFrame({ opcode: kBinary, payload: [9, 8] });
  assert.deepEqual(Buffer.from((await a.take('answer')).answer), Buffer.from([9, 8]));
  ws.close();
  await a.close();
});

test('an event with an ack id is an event all the same', async () => {
  const roomId = longRoom();
  await createRoom(server, roomId);
  const peer = await Peer.connect(server);
  peer.emit('join', { roomId }, () => {});
  assert.deepEqual(await peer.take('joinResponse'), joined(roomId));
  await peer.close();
});

test('a POST that is too large is refused', async () => {
  const polling = await RawPolling.connect(server);
  const { status } = await polling.post(`42["x","${'y'.repeat(1000001)}"]`);
  assert.equal(status, 413);
});

test('a payload of the allowed size passes', async () => {
  const {
    roomId,
    peers: [a],
  } = await meet(server, 1);
  const polling = await RawPolling.connect(server);
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  await a.take('ready');
  await polling.post(`42["offer",{"peerId":"${a.id}","offer":"${'y'.repeat(900000)}"}]`);
  assert.equal((await a.take('offer')).offer.length, 900000);
  await a.close();
});

test('a WebSocket message that is too large ends the session', async () => {
  const ws = await RawWebSocket.connect(server);
  ws.send(`42["x","${'y'.repeat(1000001)}"]`);
  const code = await ws.closeCode();
  assert.ok(code === null || code === 1009, `close code ${code}`);
});

test("two POSTs at once, a binary POST and a stranger's method do no harm to others", async () => {
  const {
    peers: [a, b],
    close,
  } = await meet(server, 2);
  const polling = await RawPolling.connect(server);
  await Promise.allSettled([polling.post('3'), polling.post('3')]);
  const binary = await RawPolling.connect(server);
  const answer = await binary.post('4abc', { 'Content-Type': 'application/octet-stream' });
  assert.equal(answer.status, 400);
  const other = await RawPolling.connect(server);
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const { status } = await request(server, method, other.path);
    assert.ok(status >= 400 && status < 600, `${method}: ${status}`);
  }
  await a.receivesOnlyFrom(b);
  await close();
});
