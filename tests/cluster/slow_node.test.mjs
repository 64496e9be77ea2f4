// Nodes that stand still or are cut off from Redis for a while: declared dead when that lasts, and bound
// again under the same ids when they are back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kLong, kTtl, pause, untilNone } from '../lib/cluster.mjs';
import { figure, figureMessages, ms, printFiguresAtEnd } from '../lib/figures.mjs';
import { post } from '../lib/http.mjs';
import { underLoad } from '../lib/load.mjs';

printFiguresAtEnd();

const kDead = kLong ? 20000 : 3 * kTtl; // long enough to be declared dead
const kBack = 5000; // a live node's sockets are in Redis again within this

const socketsOf = (record, node) => record.bound.filter((socket) => socket.node === node);

// The others were told of the sockets of this node by now; gives those sockets.
async function declaredDead(load, node, limit) {
  const { record } = load;
  const slow = socketsOf(record, node);
  await untilNone(
    () =>
      slow.flatMap((socket) =>
        record
          .others(socket)
          .filter((other) => other.bound && other.node !== node)
          .filter((other) => other.lastWord(socket.id) !== 'peer-disconnected')
          .map((other) => `${record.name(other.id)} does not know of ${record.name(socket.id)}`),
      ),
    'the node is declared dead',
    limit,
  );
  return slow;
}

// Its sockets are the same as before, in Redis again, and everyone is told so.
async function boundAgain({ load, name }, slow, since) {
  await load.bindings(kBack);
  figure(name, 'bound again after', ms(performance.now() - since));
  await load.relays();
  figure(name, 'relays pass after', ms(performance.now() - since));
  assert.ok(
    slow.every((socket) => socket.bound),
    'under the same ids',
  );
  const again = slow.flatMap((socket) =>
    load.record
      .others(socket)
      .filter((other) => other.bound && other.node !== socket.node)
      .filter((other) => other.lastWord(socket.id) !== 'ready'),
  );
  assert.deepEqual(again.length, 0, 'each was told `ready` of each that came back');
}

test(`a node stands still for ${kDead / 1000} s`, async () => {
  const name = `node stopped ${kDead / 1000} s`;
  await underLoad({ nodes: 3 }, async ({ load, nodes }) => {
    const begun = performance.now();
    nodes[1].pause();
    const slow = await declaredDead(load, nodes[1], 1.5 * kTtl + 1000);
    figure(name, 'peers told after', ms(performance.now() - begun));
    await pause(Math.max(0, kDead - (performance.now() - begun)));
    const since = performance.now();
    nodes[1].resume();
    await boundAgain({ load, name }, slow, since);
    figureMessages(name, await load.sound());
  });
});

test('a node stands still for less than its lease: nobody notices, nothing is lost', async () => {
  const name = 'node stopped half a lease';
  await underLoad({ nodes: 3 }, async ({ load, nodes }) => {
    nodes[1].pause();
    await pause(kTtl / 2);
    nodes[1].resume();
    nodes[1].suspect = false; // it must not have been declared dead
    figureMessages(name, await load.sound({ lossless: true }));
  });
});

test('a node stands still while peers elsewhere go: it learns of that', async () => {
  const name = 'node stopped, peers gone meanwhile';
  await underLoad({ nodes: 3 }, async ({ load, nodes }) => {
    nodes[1].pause();
    for (const member of load.bound.filter(({ socket }) => socket.node === nodes[2]).slice(0, 3))
      member.end('reset');
    await declaredDead(load, nodes[1], 1.5 * kTtl + 1000);
    for (const member of load.bound.filter(({ socket }) => socket.node === nodes[0]).slice(0, 3))
      member.end('close');
    await pause(kTtl);
    nodes[1].resume();
    figureMessages(name, await load.sound());
  });
});

test('the sockets of a node that stands still go, and it is killed', async () => {
  const name = 'node stopped, its sockets gone, killed';
  await underLoad({ nodes: 3 }, async ({ load, nodes }) => {
    nodes[1].pause();
    for (const member of load.bound.filter(({ socket }) => socket.node === nodes[1]))
      member.end('reset');
    await pause(kTtl / 2);
    await load.kill(nodes[1]);
    figureMessages(name, await load.sound());
  });
});

test('a socket of a node that stands still is made to leave over HTTP elsewhere', async () => {
  const name = 'left over HTTP while its node stood still';
  await underLoad({ nodes: 2 }, async ({ load, nodes }) => {
    const member = load.bound.find(({ socket }) => socket.node === nodes[1]);
    const { socket } = member;
    nodes[1].pause();
    await post(nodes[0], '/api/leave_room', { roomId: socket.roomId, socketId: socket.id });
    member.noteEnd();
    nodes[1].resume();
    nodes[1].suspect = false;
    member.client.close(); // it left; now it comes anew
    figureMessages(name, await load.sound());
  });
});

// The line between one node and Redis.
for (const [mode, told, forMs, delay] of [
  ['hole', true, 3 * kTtl],
  ['deaf', true, 3 * kTtl],
  ['cut', true, 3 * kTtl],
  ['hole', false, kTtl / 3],
  ['cut', false, kTtl / 3],
  ['delay', false, 2 * kTtl, kTtl / 5],
]) {
  const name = `line ${mode}${delay ? ` of ${delay} ms` : ''}, ${Math.round(forMs)} ms`;
  test(`${name}: ${told ? 'declared dead, then bound again' : 'nobody notices'}`, async () => {
    await underLoad({ nodes: 3, proxied: true, load: { members: 4 } }, async ({ load, nodes }) => {
      const begun = performance.now();
      nodes[1].disturb(mode, delay);
      if (told) await declaredDead(load, nodes[1], 1.5 * kTtl + 2500);
      await pause(Math.max(0, forMs - (performance.now() - begun)));
      const slow = socketsOf(load.record, nodes[1]);
      await load.relays(1000, ({ socket }) => socket.node === nodes[1]); // local ones go on
      const since = performance.now();
      nodes[1].proxy.heal();
      if (told) await boundAgain({ load, name }, slow, since);
      else nodes[1].suspect = false;
      figureMessages(name, await load.sound());
    });
  });
}

test('a line that delays by 3 s for a while', async () => {
  const name = 'line delays 3 s';
  await underLoad({ nodes: 3, proxied: true }, async ({ load, nodes }) => {
    nodes[1].disturb('delay', 3000);
    await pause(kLong ? 20000 : 5000);
    nodes[1].proxy.heal();
    figureMessages(name, await load.sound());
  });
});

test('what a node wrote before its line was cut does no harm when it arrives after all', async () => {
  const name = 'joins and leaves in a hole';
  await underLoad({ nodes: 2, proxied: true, load: { rooms: 10 } }, async ({ load, nodes }) => {
    for (let round = 0; round < 3; round++) {
      nodes[1].disturb('hole');
      // Some go, all come back at once, and try to join what the hole swallows.
      for (const member of load.bound.filter(({ socket }) => socket.node === nodes[1]))
        member.end('reset');
      await pause(kTtl + 1000); // beyond the deadline of a command, so that a new connection is tried
      nodes[1].proxy.heal();
      await load.bindings(15000);
    }
    figureMessages(name, await load.sound());
  });
});
