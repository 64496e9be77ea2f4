// What a host sends reaches sockets that are connected to another node.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRoom, joined, longRoom } from '../lib/clients.mjs';
import { asking, HostApp, kAccept, kTell } from '../lib/host_app.mjs';
import { startRedis } from '../lib/redis.mjs';
import { eventually } from '../lib/wait.mjs';

let redis;
let hosts;
before(async () => {
  redis = await startRedis();
  hosts = [];
  for (let i = 0; i < 3; ++i) {
    hosts.push(
      await HostApp.start(
        {
          'redis.url': redis.url,
          'signaling.enabled': true,
          'limits.join_enabled': false,
          'http.headers': '',
        },
        ['add_namespace', '/', null, kTell, kTell, null],
        asking('/own', kAccept),
      ),
    );
  }
});
after(async () => {
  for (const host of hosts ?? []) await host.stop();
  await redis?.stop();
});

// How many nodes listen to a room of the host's, or to a namespace.
async function listeners(namespace, room) {
  const channel = room
    ? `signalbox:room:${namespace.length}:${namespace}${room}`
    : `signalbox:namespace:${namespace}`;
  return (await redis.command('PUBSUB', 'NUMSUB', channel))[1];
}
const heard = (count, namespace, room) =>
  eventually(async () => (await listeners(namespace, room)) === count, `${count} nodes listen`);

// Clients, one of each host, and a second one of the first.
async function connect(namespace) {
  await heard(hosts.length, namespace);
  const peers = [];
  for (const host of [...hosts, hosts[0]]) peers.push(await host.connect(namespace));
  return peers;
}
const bye = async (peers) => {
  for (const [i, peer] of peers.entries()) await hosts[i % hosts.length].bye(peer);
};

// Nothing but what was taken has come to these clients: the last that each host sends does.
async function assertNothingElse(peers) {
  for (const [i, host] of hosts.entries()) {
    for (const peer of peers) await host.call('emit', peer.id, `last of ${i}`, '[]', null);
  }
  for (const peer of peers) {
    for (const i of hosts.keys()) await peer.take(`last of ${i}`);
    peer.assertEmpty();
  }
}

test('a host emits to a socket of another node', async () => {
  const [a, b, c, d] = await connect('/own');
  for (const host of hosts) {
    await host.call('emit', b.id, 'hello', '[{"n":1}]', null);
    assert.deepEqual(await b.take('hello'), { n: 1 });
  }
  const args = '[{"b":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]}]';
  await hosts[0].call('emit', b.id, 'bytes', args, '00ff0d0a,');
  assert.deepEqual(await b.take('bytes'), { b: [Buffer.alloc(0), Buffer.from('00ff0d0a', 'hex')] });
  for (let i = 0; i < 200; ++i) await hosts[2].call('emit', a.id, 'many', `[${i}]`, null);
  for (let i = 0; i < 200; ++i) assert.equal(await a.take('many'), i);
  await assertNothingElse([a, b, c, d]);
  await bye([a, b, c, d]);
});

test('a host broadcasts to a namespace, each socket once', async () => {
  const peers = await connect('/own');
  const others = await connect('/');
  const [a, b, c, d] = peers;
  const args = '["x"]';
  await hosts[0].call('broadcast', '/own', null, null, 'all', args, null);
  for (const peer of peers) assert.equal(await peer.take('all'), 'x');
  await hosts[0].call('broadcast', '/own', null, b.id, 'but b', args, null);
  for (const peer of [a, c, d]) assert.equal(await peer.take('but b'), 'x');
  await hosts[1].call('broadcast', '/own', null, d.id, 'but d', args, null);
  for (const peer of [a, b, c]) assert.equal(await peer.take('but d'), 'x');
  await hosts[2].call(
    'broadcast', '/own', null, null, 'bytes', '[{"_placeholder":true,"num":0}]', '0102',
  );
  for (const peer of peers) assert.deepEqual(await peer.take('bytes'), Buffer.from([1, 2]));
  await assertNothingElse([...peers, ...others]);
  await bye(peers);
  await bye(others);
});

test('a host broadcasts to its rooms on all nodes', async () => {
  const [a, b, c, d] = await connect('/own');
  const room = longRoom();
  await hosts[0].call('join', a.id, room);
  await hosts[1].call('join', b.id, room);
  await hosts[1].call('join', b.id, 'another');
  await heard(2, '/own', room);
  for (const host of hosts) {
    await host.call('broadcast', '/own', room, null, 'to room', '["x"]', null);
    for (const peer of [a, b]) assert.equal(await peer.take('to room'), 'x');
    await host.call('broadcast', '/own', room, b.id, 'but b', '["x"]', null);
    assert.equal(await a.take('but b'), 'x');
    // The same name in another namespace is another room.
    await host.call('broadcast', '/', room, null, 'elsewhere', '[]', null);
  }
  // Who has left hears nothing any more, and nobody listens for it.
  await hosts[1].call('leave', b.id, room);
  await heard(1, '/own', room);
  await hosts[2].call('broadcast', '/own', room, null, 'after leave', '["x"]', null);
  assert.equal(await a.take('after leave'), 'x');
  await hosts[0].call('join', d.id, room);
  await hosts[0].call('leave', a.id, room);
  // What a host asks for is done in order, but after the call: the other one must not be faster.
  await hosts[0].call('emit', d.id, 'done', '[]', null);
  await d.take('done');
  await hosts[2].call('broadcast', '/own', room, null, 'to d', '["x"]', null);
  assert.equal(await d.take('to d'), 'x');
  await assertNothingElse([a, b, c, d]);
  await bye([a, b, c, d]);
  await heard(0, '/own', room);
});

test('a host speaks to the members of a room on all nodes', async () => {
  const room = longRoom();
  const peers = await connect('/');
  const [a, b, c, d] = peers;
  await createRoom(hosts[0], room);
  for (const peer of [a, b]) assert.deepEqual(await peer.join(room), joined(room));
  assert.deepEqual(await a.take('ready'), { peerId: b.id });
  // The third node has no socket in it.
  for (const host of hosts) {
    const tell = (except, event, args, ...attachments) =>
      host.call('broadcast_to_peers', room, except, event, args, ...attachments);
    await tell(null, 'all', '[{"_placeholder":true,"num":0}]', '0102');
    for (const peer of [a, b]) assert.deepEqual(await peer.take('all'), Buffer.from([1, 2]));
    await tell(a.id, 'but a', '["x"]', null);
    assert.equal(await b.take('but a'), 'x');
    await tell(c.id, 'but a stranger', '["x"]', null);
    for (const peer of [a, b]) assert.equal(await peer.take('but a stranger'), 'x');
  }
  // Who has joined since is known, who has gone is not asked for.
  assert.deepEqual(await c.join(room), joined(room));
  for (const peer of [a, b]) assert.deepEqual(await peer.take('ready'), { peerId: c.id });
  await hosts[0].call('broadcast_to_peers', room, null, 'three', '[]', null);
  for (const peer of [a, b, c]) assert.equal(await peer.take('three'), undefined);
  const { id } = b;
  await hosts[1].bye(b);
  for (const peer of [a, c]) assert.deepEqual(await peer.take('peer-disconnected'), { peerId: id });
  await hosts[2].call('broadcast_to_peers', room, null, 'two', '["x"]', null);
  for (const peer of [a, c]) assert.equal(await peer.take('two'), 'x');
  await hosts[1].call('broadcast_to_peers', longRoom(), null, 'nowhere', '[]', null);
  await assertNothingElse([a, c, d]);
  const third = c.id;
  await hosts[2].bye(c);
  assert.deepEqual(await a.take('peer-disconnected'), { peerId: third });
  await hosts[0].bye(a, d);
});
