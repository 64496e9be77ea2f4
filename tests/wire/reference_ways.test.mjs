// What engine.io does where the protocol document is silent or short, and clients have come to expect.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom, meet } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { get } from '../lib/http.mjs';
import { RawConnection, RawPolling, RawWebSocket, sessionLives, upgradeRequest } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

const kUnknown = { code: 1, message: 'Session ID unknown' };

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const body of ['abc', '', '7', '\x1e', '40\x1e', '2']) {
  test(`an invalid POST ${JSON.stringify(body)} ends the session at once`, async () => {
    const polling = await RawPolling.open(server);
    await polling.post(body);
    const { status, json } = await polling.poll();
    assert.deepEqual([status, json], [400, kUnknown]);
  });
}

test('a Socket.IO packet that is invalid ends the session with the next poll', async () => {
  const polling = await RawPolling.connect(server);
  await polling.post('42{}');
  assert.equal((await polling.poll()).text, '1');
  assert.deepEqual((await polling.poll()).json, kUnknown);
});

test('two POSTs at once end the session', async () => {
  const polling = await RawPolling.connect(server);
  const waiting = polling.poll();
  await sessionLives(server, polling.sid); // the poll has come before this
  const slow = await RawConnection.open(server.port);
  slow.write(`POST ${polling.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n42["`);
  // The first is known to have begun once a request behind it on its own connection would have to wait;
  // nothing tells that from outside, so the second is sent until it is refused.
  await eventually(async () => (await polling.post('42["y"]')).status === 400, 'a refused POST');
  assert.equal((await waiting).text, '1');
  assert.deepEqual((await polling.poll()).json, kUnknown);
  slow.close();
});

test('a second WebSocket on a session is let in and closed, and harms nothing', async () => {
  const ws = await RawWebSocket.connect(server);
  const second = await RawWebSocket.open(server, {
    path: `/socket.io/?EIO=4&transport=websocket&sid=${ws.sid}`,
  });
  await second.closeCode();
  const roomId = longRoom();
  await createRoom(server, roomId);
  assert.deepEqual(await ws.join(roomId), joined(roomId));
  ws.close();
});

test('the first subprotocol that is offered is agreed to', async () => {
  const answerTo = async (offered) => {
    const connection = await RawConnection.open(server.port);
    connection.write(
      upgradeRequest(server.port, '/socket.io/?EIO=4&transport=websocket', {
        'Sec-WebSocket-Protocol': offered,
      }),
    );
    const { status, head } = await connection.answer();
    connection.close();
    return [status, /\r\nsec-websocket-protocol: *([^\r]*)/i.exec(head)?.[1]];
  };
  assert.deepEqual(await answerTo('mine'), [101, 'mine']);
  assert.deepEqual(await answerTo('a-b.c, other'), [101, 'a-b.c']);
  const { peers, close } = await meet(server, 2, { protocols: ['one', 'two'] });
  await peers[0].receivesOnlyFrom(peers[1]);
  await close();
});

test('base64 in a text frame is binary: socket.io-client with forceBase64', async () => {
  const {
    peers: [a, b],
    close,
  } = await meet(server, 2, { forceBase64: true });
  const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);
  a.emit('offer', { peerId: b.id, offer: bytes });
  assert.deepEqual(Buffer.from((await b.take('offer')).offer), bytes);
  await close();
});

test('an encoded line break in a URL cannot bring in a header', async () => {
  for (const transport of ['polling', 'websocket']) {
    const answer = await get(
      server,
      `/socket.io/?EIO=4&transport=${transport}&x=a%0AOrigin:%20https://evil.example%0Ay=`,
    );
    assert.equal(answer.status, 400, transport);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
  const room = longRoom();
  const { status } = await get(server, `/api/get_room?${room}%0AX-Forwarded-For:1.2.3.4,`);
  assert.equal(status, 400);
});

test('empty parameters are skipped, an empty sid is none, the last of two counts', async () => {
  for (const query of [
    '&EIO=4&transport=polling',
    'EIO=4&&transport=polling&',
    'EIO=4&transport=polling&sid=',
    'EIO=3&transport=none&EIO=4&transport=polling',
  ]) {
    assert.match((await get(server, `/socket.io/?${query}`)).text, /^0\{"sid":/, query);
  }
  const polling = await RawPolling.connect(server);
  await polling.post('42["join",{"roomId":"absent"}]');
  const { text } = await get(
    server,
    `/socket.io/?EIO=4&transport=polling&&sid=${polling.sid}`,
  );
  assert.match(text, /^42\["joinResponse"/);
});

test('a packet that comes ahead of the pong extends the wait for it, once', async () => {
  const kTimeout = 600;
  const hasty = await startServer({
    'engineio.ping_interval': 300,
    'engineio.ping_timeout': kTimeout,
  });
  const ws = await RawWebSocket.connect(hasty);
  assert.equal(await ws.takeText(), '2');
  const pinged = performance.now();
  const timer = setInterval(() => ws.send('42["something"]'), 100);
  await ws.closeCode();
  clearInterval(timer);
  const waited = performance.now() - pinged;
  assert.ok(waited >= kTimeout + 90, `closed ${waited} ms after the ping`);
  await hasty.stop();
});

// manager.socket(nsp) connects by itself; who then calls connect() on it asks twice in one go.
test('a client that asks twice before it can have an answer is let in once', async () => {
  const polling = await RawPolling.open(server);
  await polling.post('40\x1e40\x1e42["nobody-listens"]');
  assert.match(await polling.take(), /^40\{"sid":"[\w-]{20}"\}$/);
  await polling.post('40'); // but now it has it
  assert.equal(await polling.take(), '1');
});
