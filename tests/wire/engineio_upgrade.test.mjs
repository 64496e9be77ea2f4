// The way from polling to a WebSocket: probe, upgrade, every request after it, and messages in flight.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEngineioEcho, startPatientEcho } from '../lib/apps.mjs';
import { startServer } from '../lib/hostd.mjs';
import { request } from '../lib/http.mjs';
import { kClose, RawConnection, RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

let echo;
before(async () => {
  echo = await startPatientEcho();
});
after(() => echo.stop());

// A session on polling and a WebSocket whose probe has been answered.
async function probed() {
  const polling = await RawPolling.open(echo);
  const ws = await RawWebSocket.probe(echo, polling.sid);
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  return { polling, ws };
}

async function upgraded() {
  const { polling, ws } = await probed();
  ws.send('5');
  ws.send('4upgraded');
  assert.equal(await ws.takeText(), '4upgraded');
  return { polling, ws };
}

async function assertEchoes(ws) {
  ws.send('4hello');
  assert.equal(await ws.takeText(), '4hello');
}

test('the probe is answered, and a waiting poll ends with a noop', async () => {
  const polling = await RawPolling.open(echo);
  const poll = polling.poll();
  await sessionLives(echo, polling.sid);
  const ws = await RawWebSocket.probe(echo, polling.sid);
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  assert.equal((await poll).text, '6');
  ws.send('5');
  await assertEchoes(ws);
  ws.close();
});

test('between probe and upgrade a poll ends with a noop at once, and polling still carries', async () => {
  const { polling, ws } = await probed();
  assert.equal((await polling.poll()).text, '6');
  assert.equal((await polling.poll()).text, '6');
  await polling.post('4by polling');
  assert.equal((await polling.poll()).text, '4by polling');
  await polling.post('4left over');
  ws.send('5');
  assert.equal(await ws.takeText(), '4left over');
  await assertEchoes(ws);
  ws.close();
});

for (const [name, method, query, refusal] of [
  ['a poll', 'GET', 'EIO=4&transport=polling', 3],
  ['a post', 'POST', 'EIO=4&transport=polling', 3],
  ['a close packet', 'POST', 'EIO=4&transport=polling', 3],
  ['a PUT', 'PUT', 'EIO=4&transport=polling', 3],
  ['websocket without an upgrade', 'GET', 'EIO=4&transport=websocket', 3],
  ['an unknown transport', 'GET', 'EIO=4&transport=abc', 0],
  ['another revision', 'GET', 'EIO=3&transport=polling', 3],
]) {
  test(`after the upgrade ${name} is refused and does no harm`, async () => {
    const { polling, ws } = await upgraded();
    const body = method === 'POST' ? (name === 'a post' ? '4stray' : '1') : undefined;
    const path = `${echo.path}?${query}&sid=${polling.sid}`;
    const { status, json } = await request(echo, method, path, { body });
    assert.deepEqual([status, json.code], [400, refusal]);
    await assertEchoes(ws);
    ws.close();
  });
}

test('after the upgrade a second WebSocket is closed and does no harm', async () => {
  const { polling, ws } = await upgraded();
  const second = await RawWebSocket.probe(echo, polling.sid);
  second.send('2probe');
  assert.equal((await second.take()).opcode, kClose, 'its probe has no answer');
  await assertEchoes(ws);
  ws.close();
});

test('while one probe is under way a second WebSocket is closed and does no harm', async () => {
  const { polling, ws } = await probed();
  const second = await RawWebSocket.probe(echo, polling.sid);
  assert.equal((await second.take()).opcode, kClose);
  ws.send('5');
  await assertEchoes(ws);
  ws.close();
});

test('a post that the upgrade overtook is refused and does no harm', async () => {
  const { polling, ws } = await probed();
  const late = await RawConnection.open(echo.port);
  late.write(`POST ${polling.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n4la`);
  await sessionLives(echo, polling.sid);
  ws.send('5');
  await assertEchoes(ws);
  late.write('te');
  assert.equal((await late.answer()).status, 400);
  await assertEchoes(ws);
  late.close();
  ws.close();
});

for (const packet of ['2', '2wrong', '3probe', '5', '4x', '1', '6', 'abc', '']) {
  test(`${JSON.stringify(packet)} in place of the probe closes that WebSocket alone`, async () => {
    const polling = await RawPolling.open(echo);
    const ws = await RawWebSocket.probe(echo, polling.sid);
    ws.send(packet);
    await ws.closeCode();
    await polling.post('4still polling');
    assert.equal(await polling.take(), '4still polling');
    // And another attempt may succeed.
    const next = await RawWebSocket.probe(echo, polling.sid);
    next.send('2probe');
    assert.equal(await next.takeText(), '3probe');
    next.send('5');
    await assertEchoes(next);
    next.close();
  });
}

test('something else than the upgrade after the probe closes that WebSocket alone', async () => {
  const { polling, ws } = await probed();
  ws.send('4too early');
  await ws.closeCode();
  await polling.post('4still polling');
  assert.equal((await polling.poll()).text, '4still polling');
});

test('a probe that breaks off leaves the session on polling, and polls wait again', async () => {
  const hasty = await startEngineioEcho();
  const polling = await RawPolling.open(hasty);
  const ws = await RawWebSocket.probe(hasty, polling.sid);
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  ws.connection.reset();
  // The server may see the end a little later; until then polls return at once.
  await eventually(async () => (await polling.poll()).text === '2', 'a poll that waits');
  await polling.post('3\x1e4still polling');
  assert.equal((await polling.poll()).text, '4still polling');
  await hasty.stop();
});

test('a client that closes its session while a probe is under way closes both', async () => {
  const { polling, ws } = await probed();
  await polling.post('1');
  await ws.closeCode();
  assert.equal((await polling.poll()).json.code, 1);
});

test('a probe that is not completed is closed after the upgrade timeout, not before', async () => {
  const kTimeout = 300;
  const server = await startServer({ 'engineio.upgrade_timeout': kTimeout });
  const times = await Promise.all(
    ['', '2probe'].map(async (probe) => {
      const polling = await RawPolling.connect(server);
      const begun = performance.now();
      const ws = await RawWebSocket.probe(server, polling.sid);
      if (probe) {
        ws.send(probe);
        assert.equal(await ws.takeText(), '3probe');
      }
      await ws.closeCode();
      const took = performance.now() - begun;
      await polling.post('42["join",{"roomId":"absent"}]');
      assert.match(await polling.take(), /joinResponse/, 'polling goes on');
      return took;
    }),
  );
  for (const took of times) {
    assert.ok(took >= kTimeout - 5 && took < kTimeout + 250, `after ${took} ms`);
  }
  await server.stop();
});

// Sends 10,000 numbered messages, which come back, and begins the upgrade when `before` of them are
// posted. As a client must, it has no request under way when it sends the upgrade packet.
async function echoWhileUpgrading(before) {
  const kCount = 10000;
  const kBatch = 250;
  const polling = await RawPolling.open(echo);
  const received = [];
  let sent = 0;
  const batch = (size) => Array.from({ length: size }, () => `4${sent++}`);

  let ws;
  let upgrading = false;
  const poll = async () => {
    while (!upgrading) {
      const { status, text } = await polling.poll();
      assert.equal(status, 200);
      for (const packet of text.split('\x1e')) {
        if (packet !== '6') received.push(Number(packet.slice(1)));
      }
    }
  };
  const post = async () => {
    let probe;
    while (!upgrading) {
      if (sent >= before && !probe) {
        probe = RawWebSocket.probe(echo, polling.sid).then(async (socket) => {
          ws = socket;
          ws.send('2probe');
          assert.equal(await ws.takeText(), '3probe');
          upgrading = true;
        });
      }
      if (sent === kCount) await probe;
      else await polling.post(batch(Math.min(kBatch, kCount - sent)).join('\x1e'));
    }
  };
  await Promise.all([poll(), post()]);
  const posted = sent;
  ws.send('5');
  while (sent < kCount) ws.send(batch(1)[0]);
  while (received.length < kCount) {
    received.push(Number((await ws.takeText()).slice(1)));
  }
  assert.deepEqual(
    received,
    Array.from({ length: kCount }, (_, number) => number),
  );
  await assertEchoes(ws); // and nothing came twice
  ws.close();
  return posted;
}

for (const before of [0, 2500, 5000, 9999]) {
  test(`10,000 messages each way are neither lost nor reordered; upgrade after ${before}`, async () => {
    const posted = await echoWhileUpgrading(before);
    assert.ok(posted >= before);
  });
}

test('what the server sends while it has no poll follows on the WebSocket, ahead of newer messages', async () => {
  const { polling, ws } = await probed();
  const payload = Array.from({ length: 10000 }, (_, number) => `4${number}`).join('\x1e');
  await polling.post(payload);
  ws.send('5');
  for (let number = 10000; number < 20000; number++) ws.send(`4${number}`);
  for (let number = 0; number < 20000; number++) {
    assert.equal(await ws.takeText(), `4${number}`);
  }
  ws.close();
});
