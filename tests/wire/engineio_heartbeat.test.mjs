// The heartbeat of Engine.IO on both transports: pings after 300 ms, ends a second later, as configured.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEngineioEcho } from '../lib/apps.mjs';
import { kClose, RawPolling, RawWebSocket, sessionLives } from '../lib/raw.mjs';

const kInterval = 300;
const kTimeout = 1000;

let echo;
before(async () => {
  echo = await startEngineioEcho(`${kInterval}`, `${kTimeout}`);
});
after(() => echo.stop());

// Both transports behind the same four calls. `take` gives the next packet, null at the end.
class WebSocketClient {
  static async open() {
    const client = new WebSocketClient();
    client.ws = await RawWebSocket.open(echo);
    client.sid = JSON.parse((await client.ws.takeText()).slice(1)).sid;
    return client;
  }
  send(packet) {
    this.ws.send(packet);
  }
  async take() {
    const message = await this.ws.take();
    return message === null || message.opcode === kClose ? null : message.data.toString();
  }
  close() {
    this.ws.close();
  }
}

class PollingClient {
  static async open() {
    const client = new PollingClient();
    client.polling = await RawPolling.open(echo);
    client.sid = client.polling.sid;
    return client;
  }
  async send(packet) {
    assert.equal((await this.polling.post(packet)).status, 200);
  }
  async take() {
    const packet = await this.polling.take();
    return packet === '1' ? null : packet;
  }
  close() {
    return this.polling.post('1');
  }
}

// What takes `expected` ms by the server's clock is measured from before its begin to after its end: it
// is never shorter, and the shortest of several is not much longer.
function assertTook(times, expected) {
  const shortest = Math.min(...times);
  assert.ok(shortest >= expected - 5, `${shortest} ms is too early for ${expected} ms`);
  assert.ok(shortest < expected + 400, `${shortest} ms is too late for ${expected} ms`);
}

// Time is what these tests are about: here it passes on purpose.
const passed = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const several = (measure) => Promise.all(Array.from({ length: 5 }, measure));

for (const [name, Client] of [
  ['a WebSocket', WebSocketClient],
  ['polling', PollingClient],
]) {
  test(`by ${name} the first ping comes after the interval, the end after the timeout`, async () => {
    const times = await several(async () => {
      const begun = performance.now();
      const client = await Client.open();
      assert.equal(await client.take(), '2');
      const pinged = performance.now();
      assert.equal(await client.take(), null);
      const ended = performance.now();
      assert.equal(await sessionLives(echo, client.sid), false);
      return { ping: pinged - begun, end: ended - begun };
    });
    assertTook(
      times.map(({ ping }) => ping),
      kInterval,
    );
    assertTook(
      times.map(({ end }) => end),
      kInterval + kTimeout,
    );
  });

  test(`by ${name} the next ping comes an interval after the pong`, async () => {
    const times = await several(async () => {
      const client = await Client.open();
      assert.equal(await client.take(), '2');
      await passed(kTimeout / 2); // late, and in time
      const begun = performance.now();
      await client.send('3');
      assert.equal(await client.take(), '2');
      const took = performance.now() - begun;
      await client.close();
      return took;
    });
    assertTook(times, kInterval);
  });

  test(`by ${name} a client that answers stays, and messages do not put off the pings`, async () => {
    const client = await Client.open();
    const begun = performance.now();
    let pings = 0;
    while (pings < 3) {
      await passed(kInterval / 2);
      await client.send(`4${pings}`);
      assert.equal(await client.take(), `4${pings}`);
      assert.equal(await client.take(), '2');
      await client.send('3');
      pings++;
    }
    const took = performance.now() - begun;
    assert.ok(took > 3 * kInterval - 60 && took < 3 * kInterval + 900, `three pings in ${took} ms`);
    await client.close();
  });
}

test('a client on polling that never polls is gone after interval and timeout', async () => {
  const begun = performance.now();
  const { sid } = await RawPolling.open(echo);
  while (await sessionLives(echo, sid)) await passed(5);
  const took = performance.now() - begun;
  assert.ok(took >= kInterval + kTimeout - 5, `gone after ${took} ms`);
  assert.ok(took < kInterval + kTimeout + 900, `gone after ${took} ms`);
});

test('the ping waits for a client that polls late, and its pong counts', async () => {
  const { polling } = await PollingClient.open();
  await passed(kInterval + kTimeout / 2);
  assert.equal((await polling.poll()).text, '2');
  await polling.post('3\x1e4in time');
  assert.equal(await polling.take(), '4in time');
});

test('the heartbeat goes on across an upgrade: a ping on polling, its pong on the WebSocket', async () => {
  const polling = await RawPolling.open(echo);
  assert.equal((await polling.poll()).text, '2');
  const ws = await RawWebSocket.probe(echo, polling.sid);
  ws.send('2probe');
  assert.equal(await ws.takeText(), '3probe');
  ws.send('5');
  ws.send('3');
  assert.equal(await ws.takeText(), '2');
  ws.send('3');
  assert.equal(await ws.takeText(), '2', 'and on');
  assert.equal(await ws.closeCode(), 1000, 'and without a pong it ends');
});
