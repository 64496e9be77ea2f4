// Hostile upgrades: probes that are wrong or never end, and every race between an upgrade and the end of
// its session. Whatever comes of it, the room is told of an end exactly once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meet } from '../lib/clients.mjs';
import {
  frame,
  kBinary,
  kClose,
  RawConnection,
  RawPolling,
  RawWebSocket,
  sessionLives,
  upgradeRequest,
} from '../lib/raw.mjs';
import { startWitnessed } from '../lib/witnessed.mjs';

let server;
before(async () => {
  server = await startWitnessed();
});
after(() => server.stop());

const text = (payload) => ({ payload });
const closing = { opcode: kClose, payload: [3, 0xe8] };
const sendAll = (ws, frames) => ws.connection.write(Buffer.concat(frames.map(frame)));

// A member of a room on polling, and another member.
async function member() {
  const {
    roomId,
    peers: [peer],
  } = await meet(server, 1);
  const polling = await RawPolling.connect(server);
  await polling.post(`42["join",{"roomId":"${roomId}"}]`);
  assert.match(await polling.take(), /^42\["joinResponse",\{"success":true/);
  assert.deepEqual(await peer.take('ready'), { peerId: polling.id });
  return { polling, peer };
}

// The member is heard, by whatever transport it is on.
async function assertHeard({ polling, peer }, send) {
  await send(`42["offer",{"peerId":"${peer.id}","offer":1}]`);
  assert.deepEqual(await peer.take('offer'), { offer: 1, peerId: polling.id });
}

async function assertGone({ polling, peer }) {
  assert.deepEqual(await peer.take('peer-disconnected'), { peerId: polling.id });
  assert.equal(await sessionLives(server, polling.sid), false);
  peer.assertEmpty();
  await peer.close();
  await server.assertUnharmed();
}

// What a probing WebSocket sends in one go, and where the session is after it.
const kProbe = [text('2probe'), text('5')];
for (const [name, frames, place, why] of [
  ['nothing', [], 'polling'],
  ['an upgrade without a probe', [text('5')], 'polling', 'it moves all the same'],
  ['a probe and a message', [text('2probe'), text('4x')], 'polling'],
  ['two probes', [text('2probe'), text('2probe')], 'polling'],
  ['a probe and binary', [text('2probe'), { opcode: kBinary, payload: [1] }], 'polling'],
  ['binary', [{ opcode: kBinary, payload: '2probe' }], 'polling'],
  ['a probe in base64', [text('bMnByb2Jl')], 'polling'],
  ['another probe text', [text('2Probe')], 'polling'],
  ['a probe with more behind it', [text('2probe\x1e5')], 'polling'],
  ['an invalid frame', [{ rsv: 7 }], 'polling'],
  ['a close frame', [closing], 'polling'],
  ['a probe and a close frame', [text('2probe'), closing], 'polling'],
  ['a close packet', [text('1')], 'polling'],
  ['probe and upgrade in one packet', kProbe, 'websocket'],
  ['an upgrade twice', [...kProbe, text('5')], 'websocket'],
  ['an upgrade and a late pong', [...kProbe, text('3probe')], 'websocket'],
  ['an upgrade and a close frame', [...kProbe, closing], 'gone'],
  ['an upgrade and a close packet', [...kProbe, text('1')], 'gone', 'it waits for the close frame'],
  ['an upgrade and an invalid frame', [...kProbe, { rsv: 7 }], 'gone'],
  ['an upgrade and an invalid packet', [...kProbe, text('x')], 'gone'],
  ['an upgrade and a second probe', [...kProbe, text('2probe')], 'gone'],
]) {
  for (const behind of ['at once', 'behind the request']) {
    test(`a WebSocket for a session with ${name}, ${behind}: ${place}${why ? ` (other than engine.io: ${why})` : ''}`, async () => {
      const pair = await member();
      const { polling } = pair;
      let ws;
      if (behind === 'at once') {
        ws = await RawWebSocket.probe(server, polling.sid);
        sendAll(ws, frames);
      } else {
        const connection = await RawConnection.open(server.port);
        const request = upgradeRequest(server.port, polling.path.replace('polling', 'websocket'));
        connection.write(Buffer.concat([Buffer.from(request), ...frames.map(frame)]));
        const answer = await connection.answer();
        assert.equal(answer.status, 101);
        ws = new RawWebSocket(connection, answer.head);
      }
      if (place === 'polling') {
        ws.close();
        await assertHeard(pair, (packet) => polling.post(packet));
        await polling.post('1');
      } else if (place === 'websocket') {
        assert.equal(await ws.takeText(), '3probe');
        await assertHeard(pair, (packet) => ws.send(packet));
        ws.close();
      } else {
        await ws.closeCode();
      }
      await assertGone(pair);
      ws.close();
    });
  }
}

// d5095fe of engine.io: more than one WebSocket for a session.
test('a hundred WebSockets for one session: one of them has it', async () => {
  const pair = await member();
  const sockets = await Promise.all(
    Array.from({ length: 100 }, () => RawWebSocket.probe(server, pair.polling.sid)),
  );
  for (const ws of sockets) ws.send('2probe');
  const answers = await Promise.all(sockets.map((ws) => ws.take()));
  const won = sockets.filter((_, index) => answers[index]?.data.toString() === '3probe');
  assert.equal(won.length, 1);
  won[0].send('5');
  await assertHeard(pair, (packet) => won[0].send(packet));
  for (const ws of sockets) ws.close();
  await assertGone(pair);
});

test('a WebSocket for the session of a WebSocket is closed, and harms nothing', async () => {
  for (const first of ['2probe', '5', '40', '1', '']) {
    const ws = await RawWebSocket.connect(server);
    const second = await RawWebSocket.probe(server, ws.sid);
    second.send(first);
    assert.equal((await second.take()).opcode, kClose);
    assert.equal((await ws.join('nowhere')).message, 'Room does not exist');
    ws.close();
    second.close();
    await server.assertUnharmed();
  }
});

test('a WebSocket for a session that has ended is refused', async () => {
  const polling = await RawPolling.connect(server);
  await polling.post('1');
  await assert.rejects(RawWebSocket.probe(server, polling.sid), /Session ID unknown/);
  await server.assertUnharmed();
});

// The end of the session, and the moment of the upgrade that it meets.
const kEnds = {
  'a close packet by polling': ({ polling }) => polling.post('1'),
  'an invalid POST': ({ polling }) => polling.post('x'),
  'an invalid packet of Socket.IO': async ({ polling }) => {
    await polling.post('4x');
    await polling.poll();
  },
};
for (const [name, end] of Object.entries(kEnds)) {
  test(`${name} between probe and upgrade: the session ends, and its probe`, async () => {
    const pair = await member();
    const ws = await RawWebSocket.probe(server, pair.polling.sid);
    ws.send('2probe');
    assert.equal(await ws.takeText(), '3probe');
    await end(pair);
    ws.send('5');
    ws.send(`42["offer",{"peerId":"${pair.peer.id}","offer":"too late"}]`);
    await ws.closeCode();
    ws.close();
    await assertGone(pair);
  });

  test(`${name} ahead of the probe: the session ends, and the probe has no answer`, async () => {
    const pair = await member();
    const ws = await RawWebSocket.probe(server, pair.polling.sid);
    await end(pair);
    ws.send('2probe');
    const answer = await ws.take();
    assert.ok(answer === null || answer.opcode === kClose, `${answer?.data}`);
    ws.close();
    await assertGone(pair);
  });

  test(`${name} at the moment of the upgrade: one of the two, and one end`, async () => {
    for (let round = 0; round < 5; round++) {
      const pair = await member();
      const ws = await RawWebSocket.probe(server, pair.polling.sid);
      ws.send('2probe');
      assert.equal(await ws.takeText(), '3probe');
      const ended = end(pair);
      ws.send('5');
      await ended;
      ws.connection.reset();
      await assertGone(pair);
    }
  });
}

test('a client that resets the WebSocket to which it has just moved is gone', async () => {
  const pair = await member();
  const ws = await RawWebSocket.probe(server, pair.polling.sid);
  const poll = pair.polling.poll();
  await sessionLives(server, pair.polling.sid);
  sendAll(ws, kProbe);
  assert.equal((await poll).text, '6');
  ws.connection.reset();
  await assertGone(pair);
});

test('probes that come and go leave the session on polling', async () => {
  const pair = await member();
  for (let count = 0; count < 20; count++) {
    const ws = await RawWebSocket.probe(server, pair.polling.sid);
    if (count % 2 === 0) ws.send('2probe');
    ws.connection.reset();
  }
  await assertHeard(pair, (packet) => pair.polling.post(packet));
  await pair.polling.post('1');
  await assertGone(pair);
});
