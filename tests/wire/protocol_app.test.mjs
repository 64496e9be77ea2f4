// Socket.IO through the public header: build/capi/protocol_app, with raw packets and the official client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startProtocolApp } from '../lib/apps.mjs';
import { Peer } from '../lib/clients.mjs';
import { get } from '../lib/http.mjs';
import { kBinary, RawPolling, RawWebSocket } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

let app;
before(async () => {
  app = await startProtocolApp();
});
after(() => app.stop());

// Namespaces as packets name them.
const kNamespaces = ['', '/custom,'];

async function open() {
  const ws = await RawWebSocket.open(app);
  assert.match(await ws.takePacket(), /^0\{/);
  return ws;
}

// Connects to a namespace and takes the `auth` event that greets.
async function join(ws, nsp = '', auth = '') {
  ws.send(`40${nsp}${auth}`);
  const answer = await ws.takePacket();
  assert.ok(answer.startsWith(`40${nsp}{"sid":"`), answer);
  const { sid, ...rest } = JSON.parse(answer.slice(2 + nsp.length));
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(rest, {});
  assert.equal(await ws.takePacket(), `42${nsp}["auth",${auth || '{}'}]`);
  return sid;
}

async function connect(nsp) {
  const ws = await open();
  await join(ws, nsp);
  return ws;
}

const binary = (ws, bytes) => ws.sendFrame({ opcode: kBinary, payload: bytes });

test('the open packet has the short timings', async () => {
  const { sid, ...rest } = (await RawPolling.open(app)).opened;
  assert.ok(sid);
  assert.deepEqual(rest, {
    upgrades: ['websocket'],
    pingInterval: 300,
    pingTimeout: 200,
    maxPayload: 1000000,
  });
});

for (const nsp of kNamespaces) {
  const name = nsp || '/,';

  test(`${name} CONNECT without auth greets with {}`, async () => {
    (await connect(nsp)).close();
  });

  test(`${name} CONNECT with auth greets with it, as it was written`, async () => {
    for (const auth of ['{"token":"123"}', '{"a":{"b":[1,2.5,null,true,"ä\\u0000"]},"c":""}']) {
      const ws = await open();
      await join(ws, nsp, auth);
      ws.close();
    }
  });

  test(`${name} event: message-back with the same arguments`, async () => {
    const ws = await connect(nsp);
    for (const args of [',1,"2",{"3":[true]}', '', ',null', ',[],{},"",0,false', ',"ä€😀"']) {
      ws.send(`42${nsp}["message"${args}]`);
      assert.equal(await ws.takePacket(), `42${nsp}["message-back"${args}]`);
    }
    ws.close();
  });

  test(`${name} event with an ack id: the same arguments acknowledge it`, async () => {
    const ws = await connect(nsp);
    for (const [id, args] of [
      [456, '1,"2",{"3":[false]}'],
      [0, ''],
      [999999999, '"x"'],
    ]) {
      ws.send(`42${nsp}${id}["message-with-ack"${args && `,${args}`}]`);
      assert.equal(await ws.takePacket(), `43${nsp}${id}[${args}]`);
    }
    ws.close();
  });

  test(`${name} binary event: attachments come back behind their placeholders`, async () => {
    const ws = await connect(nsp);
    const places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
    ws.send(`452-${nsp}["message",${places}]`);
    binary(ws, [1, 2, 3]);
    binary(ws, []);
    assert.equal(await ws.takePacket(), `452-${nsp}["message-back",${places}]`);
    assert.deepEqual(await ws.takePacket(), Buffer.from([1, 2, 3]));
    assert.deepEqual(await ws.takePacket(), Buffer.from([]));
    ws.close();
  });

  test(`${name} binary event with an ack id: a binary ack`, async () => {
    const ws = await connect(nsp);
    const args = '"x",{"deep":[{"_placeholder":true,"num":0}]},{"_placeholder":true,"num":1}';
    ws.send(`452-${nsp}789["message-with-ack",${args}]`);
    binary(ws, [4, 5, 6]);
    binary(ws, [7]);
    assert.equal(await ws.takePacket(), `462-${nsp}789[${args}]`);
    assert.deepEqual(await ws.takePacket(), Buffer.from([4, 5, 6]));
    assert.deepEqual(await ws.takePacket(), Buffer.from([7]));
    ws.close();
  });

  test(`${name} an event that nobody handles has no answer`, async () => {
    const ws = await connect(nsp);
    ws.send(`42${nsp}["unknown",1]`);
    ws.send(`42${nsp}7["unknown",1]`);
    ws.send(`42${nsp}["message-with-ack",1]`);
    ws.send(`42${nsp}["message","fence"]`);
    assert.equal(await ws.takePacket(), `42${nsp}["message-back","fence"]`);
    ws.close();
  });

  for (const packet of [
    '4abc',
    `42${nsp}{}`,
    `42${nsp}abc["message",1]`,
    `45${nsp}["message"]`,
    '44',
  ]) {
    test(`${name} the invalid packet ${packet} closes the connection`, async () => {
      const ws = await connect(nsp);
      ws.send(packet);
      assert.equal(await ws.takePacket(), null);
    });
  }
}

test('an unknown namespace is refused beside one that works', async () => {
  const ws = await connect('');
  for (const [packet, refused] of [
    ['40/random', '/random'],
    ['40/random,{"token":"1"}', '/random'],
    ['40/custom/', '/custom/'],
  ]) {
    ws.send(packet);
    assert.equal(await ws.takePacket(), `44${refused},{"message":"Invalid namespace"}`);
  }
  ws.send('42["message","still here"]');
  assert.equal(await ws.takePacket(), '42["message-back","still here"]');
  ws.close();
});

test('a CONNECT that is invalid closes the connection', async () => {
  const ws = await open();
  ws.send('4abc');
  assert.equal(await ws.takePacket(), null);
});

test('a client that never sends CONNECT is closed, though it answers pings', async () => {
  const ws = await open();
  assert.equal(await ws.takePacket(), null);
});

test('the namespaces of one connection are sockets of their own', async () => {
  const ws = await open();
  const main = await join(ws, '', '{"a":1}');
  const custom = await join(ws, '/custom,', '{"b":2}');
  assert.notEqual(main, custom);
  ws.send('42/custom,["message","custom"]');
  ws.send('42["message","main"]');
  assert.equal(await ws.takePacket(), '42/custom,["message-back","custom"]');
  assert.equal(await ws.takePacket(), '42["message-back","main"]');
  ws.close();
});

for (const [left, other] of [
  ['/custom,', ''],
  ['', '/custom,'],
]) {
  test(`DISCONNECT of ${left || '/,'} leaves ${other || '/,'}`, async () => {
    const ws = await open();
    await join(ws, '');
    await join(ws, '/custom,');
    ws.send(`41${left}`);
    ws.send(`42${other}["message","still here"]`);
    assert.equal(await ws.takePacket(), `42${other}["message-back","still here"]`);
    await join(ws, left);
    ws.send(`41${left}`);
    ws.send(`42${left}["message","gone"]`);
    assert.equal(await ws.takePacket(), null, 'a packet to a namespace that was left closes');
  });
}

test('DISCONNECT of the last namespace leaves the connection, which may CONNECT again', async () => {
  const ws = await connect('');
  ws.send('41');
  assert.equal(await ws.takeText(), '2');
  ws.send('3');
  await join(ws, '');
  ws.close();
});

test('by polling: CONNECT, event, binary event and binary ack', async () => {
  const polling = await RawPolling.open(app);
  const next = async () => {
    const packet = await polling.take();
    if (packet !== '2') return packet;
    await polling.post('3');
    return polling.take();
  };
  await polling.post('40/custom,{"token":"abc"}');
  assert.match(await next(), /^40\/custom,\{"sid":"/);
  assert.equal(await next(), '42/custom,["auth",{"token":"abc"}]');
  const place = '{"_placeholder":true,"num":0}';
  await polling.post(
    ['42/custom,["message",1]', `451-/custom,["message",${place}]`, 'bAQIDBA=='].join('\x1e'),
  );
  assert.equal(await next(), '42/custom,["message-back",1]');
  assert.equal(await next(), `451-/custom,["message-back",${place}]`);
  assert.equal(await next(), 'bAQIDBA==');
  await polling.post(`451-/custom,7["message-with-ack",${place}]\x1ebBQ==`);
  assert.equal(await next(), `461-/custom,7[${place}]`);
  assert.equal(await next(), 'bBQ==');
});

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  for (const namespace of ['/', '/custom']) {
    test(`socket.io-client on ${namespace} by ${transports}`, async () => {
      const auth = { token: 'abc', deep: [1, { x: null }] };
      const peer = await Peer.connect(app, { transports, namespace, auth });
      assert.deepEqual(await peer.take('auth'), auth);
      const { engine } = peer.socket.io;
      const last = transports.at(-1);
      await eventually(() => engine.transport.name === last, `transport ${last}`);

      const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
      const args = [1, 'two', { three: [true, null], bytes }, bytes.subarray(0, 3), []];
      const plain = (values) =>
        JSON.parse(
          JSON.stringify(values, (_, value) =>
            ArrayBuffer.isView(value) || value instanceof ArrayBuffer
              ? [...new Uint8Array(value)]
              : value?.type === 'Buffer'
                ? value.data
                : value,
          ),
        );
      peer.emit('message', ...args);
      const isBack = ({ event }) => event === 'message-back';
      const back = await peer.inbox.take(isBack, '"message-back"');
      assert.deepEqual(plain(back.args), plain(args));

      const acknowledged = await new Promise((resolve) => {
        peer.emit('message-with-ack', ...args, (...values) => resolve(values));
      });
      assert.deepEqual(plain(acknowledged), plain(args));
      assert.equal(await peer.socket.emitWithAck('message-with-ack', 'one'), 'one');
      const promised = Array.from({ length: 100 }, (_, number) =>
        peer.socket.timeout(5000).emitWithAck('message-with-ack', number),
      );
      assert.deepEqual(
        await Promise.all(promised),
        promised.map((_, number) => number),
      );
      peer.assertEmpty();
      await peer.close();
    });
  }
}

test('socket.io-client on both namespaces of one connection; one is left, the other stays', async () => {
  const main = await Peer.connect(app, { auth: { to: 'main' } });
  const custom = new Peer(main.socket.io.socket('/custom', { auth: { to: 'custom' } }));
  await custom.connected;
  assert.deepEqual(await main.take('auth'), { to: 'main' });
  assert.deepEqual(await custom.take('auth'), { to: 'custom' });
  main.socket.disconnect();
  await main.closed;
  assert.equal(await custom.socket.emitWithAck('message-with-ack', 'still here'), 'still here');
  await custom.close();
});

test('socket.io-client is told of an unknown namespace', async () => {
  await assert.rejects(Peer.connect(app, { namespace: '/random' }), {
    message: 'Invalid namespace',
  });
});

test('the room application is not there: its routes are not, its events have no answer', async () => {
  assert.equal((await get(app, '/api/get_room')).status, 404);
  const ws = await connect('');
  ws.send('42["join",{"roomId":"x"}]');
  ws.send('42["message","fence"]');
  assert.equal(await ws.takePacket(), '42["message-back","fence"]');
  ws.close();
});
