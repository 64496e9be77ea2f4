// News of other nodes that come late, over a subscription that lags behind the answers of Redis: no peer
// appears that has left, none is lost that is there. This test is the other node.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { meet } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';

const kJoined = 4;
const kRejoined = 5;
const kLeft = 6;
const kOther = 'othr';

// engine/store/envelope.h has the form.
const kPublish = `
  local node, kind, sender, room, socket, stamp = unpack(ARGV)
  local message = struct.pack('>BBc0I4I8', 1, tonumber(kind), sender, 0, 0)
  for _, field in ipairs({'', room, socket, ''}) do
    message = message .. struct.pack('>I4', #field) .. field
  end
  message = message .. struct.pack('>I8', tonumber(stamp))
  return redis.call('PUBLISH', 'signalbox:node:' .. node, message)`;

let server;
before(async () => {
  server = await startServer({ workers: 1, 'node.ttl': 1000 });
  const { checks, close } = await meetAlone(); // the node does so after it has registered
  await checks();
  await close();
});
after(() => server.stop());

// Redis's, in microseconds.
async function time() {
  const [seconds, microseconds] = await server.redis.command('TIME');
  return Number(seconds) * 1_000_000 + Number(microseconds);
}

let serial = 0;
// A room with one client, and a socket of the other node that may be there.
async function meetAlone() {
  const begin = await time();
  const {
    roomId,
    peers: [peer],
    close,
  } = await meet(server, 1);
  const key = `room:${roomId}:sockets`;
  const publish = async (kind, about, stamp) => {
    const args = [peer.id.slice(0, 4), kind, kOther, roomId, about, stamp];
    assert.equal(await server.redis.command('EVAL', kPublish, 0, ...args), 1, 'it is heard');
  };
  const next = async () => {
    const { event, args } = await peer.inbox.take(() => true, 'anything');
    return `${event} ${args[0].peerId}`;
  };
  const [socket, ghost] = ['socket', 'ghost'].map((name) => `${kOther}${name}${++serial}`);
  // The node believes that this one is there, until it checks. From so far ahead that no check can have
  // come between.
  await publish(kJoined, ghost, (await time()) + 60_000_000);
  assert.equal(await next(), `ready ${ghost}`);
  return {
    begin, // before the client joined
    close,
    tell: (kind, stamp) => publish(kind, socket, stamp),
    enter: () => server.redis.command('SADD', key, socket),
    exit: () => server.redis.command('SREM', key, socket),
    // What the client hears next.
    async hears(...events) {
      for (const event of events) assert.equal(await next(), `${event} ${socket}`);
    },
    // That it has heard nothing: what is said last is all.
    async hearsNothing() {
      const last = `${kOther}last${++serial}`;
      await server.redis.command('SADD', key, last);
      await publish(kJoined, last, await time());
      assert.equal(await next(), `ready ${last}`);
    },
    // That the node checks who is there, and what the client hears of it beside.
    async checks(...events) {
      const expected = [`peer-disconnected ${ghost}`, ...events.map((event) => `${event} ${socket}`)];
      const heard = [];
      while (heard.length < expected.length) heard.push(await next());
      assert.deepEqual(heard.sort(), expected.sort());
    },
  };
}

test('who joins and leaves is told', async () => {
  const { enter, exit, tell, hears, close } = await meetAlone();
  await enter();
  await tell(kJoined, await time());
  await hears('ready');
  await exit();
  await tell(kLeft, await time());
  await hears('peer-disconnected');
  await close();
});

for (const [name, kind] of Object.entries({ joined: kJoined, rejoined: kRejoined })) {
  test(`a late "${name}" of who has left is nothing`, async () => {
    const { begin, tell, checks, close } = await meetAlone();
    await tell(kind, begin);
    await checks();
    await close();
  });

  test(`a "${name}" is not lost when Redis's clock was put back`, async () => {
    const { begin, enter, tell, checks, close } = await meetAlone();
    await enter();
    await tell(kind, begin);
    await checks('ready');
    await close();
  });
}

test('a late "joined" of who is known is nothing, a late "rejoined" is told', async () => {
  const { begin, enter, tell, hears, hearsNothing, close } = await meetAlone();
  await enter();
  await tell(kJoined, await time());
  await hears('ready');
  await tell(kJoined, begin);
  await hearsNothing();
  await tell(kRejoined, begin);
  await hears('ready');
  await close();
});

test('a late "left" of who is back is told, and that it is back', async () => {
  const { begin, enter, exit, tell, hears, checks, close } = await meetAlone();
  await enter();
  await tell(kJoined, await time());
  await hears('ready');
  await tell(kLeft, begin);
  await hears('peer-disconnected', 'ready');
  await checks();
  await exit();
  await tell(kLeft, await time());
  await hears('peer-disconnected');
  await close();
});

test("who has left does not stay when Redis's clock was put back", async () => {
  const { begin, enter, exit, tell, hears, checks, close } = await meetAlone();
  await enter();
  await tell(kJoined, await time());
  await hears('ready');
  await exit();
  await tell(kLeft, begin);
  await hears('peer-disconnected', 'ready');
  await checks('peer-disconnected');
  await close();
});
