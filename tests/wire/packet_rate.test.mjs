// A client that sends more packets than it may is read later; nothing of it is lost, and others do not
// wait for it. Times are only bounded from below: that is what a rate promises.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startPatientEcho } from '../lib/apps.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawConnection, RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

const kAllowed = 1000; // packets a second
const kSent = 2000;
const kLeastMs = (1000 * (kSent - kAllowed)) / kAllowed;
const kSlackMs = 50; // of clocks that count milliseconds, and of turns of the loop

let echo;
before(async () => {
  echo = await startPatientEcho(String(kAllowed), '1');
});
after(() => echo.stop());

const packets = Array.from({ length: kSent }, (_, number) => `4${number}`);

async function assertEchoed(client) {
  for (const packet of packets) assert.equal(await (client.takeText?.() ?? client.take()), packet);
}

async function assertSlow(work) {
  const begun = performance.now();
  await work();
  const took = performance.now() - begun;
  assert.ok(took >= kLeastMs - kSlackMs, `${kSent} packets were taken within ${took} ms`);
}

test('packets that are allowed are taken at once, and those beyond later, all in order', async () => {
  const ws = await RawWebSocket.open(echo);
  await ws.takeText();
  await assertSlow(async () => {
    for (const packet of packets) ws.send(packet);
    await assertEchoed(ws);
  });
  ws.close();
});

test('a POST is answered when its last packet is taken, and others are served meanwhile', async () => {
  const polling = await RawPolling.open(echo);
  let answered = false;
  await assertSlow(async () => {
    const posted = polling.post(packets.join('\x1e')).then((answer) => {
      answered = true;
      return answer.text;
    });
    assert.equal(await polling.take(), packets[0]);
    const other = await RawWebSocket.open(echo);
    await other.takeText();
    other.send('4other');
    assert.equal(await other.takeText(), '4other');
    assert.equal(answered, false);
    other.close();
    for (const packet of packets.slice(1)) assert.equal(await polling.take(), packet);
    assert.equal(await posted, 'ok');
  });
});

// A session whose POST is being taken, and what it has got of the echoes.
async function posting() {
  const polling = await RawPolling.open(echo);
  const posted = polling.post(packets.join('\x1e'));
  const first = await polling.take();
  return { polling, posted, seen: [first, ...polling.packets.messages] };
}

test('what follows on the WebSocket waits for a POST that is still being taken', async () => {
  const { polling, posted, seen } = await posting();
  const ws = await RawWebSocket.probe(echo, polling.sid);
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  ws.send('5');
  ws.send('4behind');
  while (seen.length < kSent) seen.push(await ws.takeText());
  assert.deepEqual(seen, packets);
  assert.equal(await ws.takeText(), '4behind');
  assert.equal((await posted).text, 'ok');
  ws.close();
});

test('a second POST beside one that is still being taken ends the session', async () => {
  const { polling, posted } = await posting();
  assert.equal((await polling.post('4second')).status, 400);
  await posted;
  assert.equal(await sessionLives(echo, polling.sid), false);
});

for (const leave of ['end', 'resetAndDestroy']) {
  test(`a POST is taken to its end though its client leaves it (${leave})`, async () => {
    const polling = await RawPolling.open(echo);
    const connection = await RawConnection.open(echo.port);
    const body = packets.join('\x1e');
    connection.write(
      `POST ${polling.path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const first = await polling.take();
    connection.socket[leave]();
    const seen = [first];
    while (seen.length < kSent) seen.push(await polling.take());
    assert.deepEqual(seen, packets);
    assert.equal(await sessionLives(echo, polling.sid), true);
  });
}

test('a client that leaves while it is read no more is noticed', async () => {
  const ws = await RawWebSocket.open(echo);
  const { sid } = JSON.parse((await ws.takeText()).slice(1));
  for (const packet of packets) ws.send(packet);
  for (const packet of packets.slice(0, kAllowed)) assert.equal(await ws.takeText(), packet);
  ws.close();
  await eventually(async () => !(await sessionLives(echo, sid)), 'the end of the session');
});

test('a session that ends while it is read no more closes its WebSocket as any other', async () => {
  const server = await startServer({
    'limits.packet_count': 1,
    'limits.packet_window': 3600,
    'socketio.connect_timeout': 300,
  });
  const ws = await RawWebSocket.open(server);
  await ws.takeText();
  ws.send('3');
  ws.send('3');
  assert.equal(await ws.closeCode(), 1000);
  const answered = performance.now();
  assert.equal(await ws.take(), null);
  // A close frame that nobody reads is waited for in vain, for 5 s.
  assert.ok(performance.now() - answered < 2500, 'the answer to the close frame was not read');
  await server.stop();
});
