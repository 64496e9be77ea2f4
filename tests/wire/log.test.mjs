// What an operator reads: one line of logfmt an event. Level debug tells the way of each socket and room
// by name; above it no room is named, and payloads are in no line at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peer, createRoom, joined, longRoom } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawWebSocket } from '../lib/raw.mjs';

const kLine =
  /^ts=\S+ level=(error|warning|info|debug) msg=("([^"\\]|\\.)*"|[^ "=]+)( [\w.]+=("([^"\\]|\\.)*"|[^ "=]*))*$/;
const kPayload = 'candidate:842163049';

// Two meet in a room, exchange a message, lose two others, and part.
async function play(server, roomId) {
  await createRoom(server, roomId);
  const stays = await RawWebSocket.connect(server);
  const leaves = await RawWebSocket.connect(server);
  assert.deepEqual(await stays.join(roomId), joined(roomId));
  assert.deepEqual(await leaves.join(roomId), joined(roomId));
  assert.match(await stays.takeText(), /^42\["ready"/);
  const stranger = await Peer.connect(server);
  assert.equal((await stranger.join(`${roomId}-no`)).success, false);
  stays.send(`42["ice-candidate",{"peerId":"nobody","candidate":"${kPayload}"}]`);
  stays.send(`42["offer",{"peerId":5,"offer":"${kPayload}"}]`);
  stays.send(`42["answer",{"peerId":"${leaves.id}","answer":"${kPayload}"}]`);
  assert.match(await leaves.takeText(), /answer/);
  const { id } = stranger.socket;
  leaves.close();
  assert.match(await stays.takeText(), /peer-disconnected/);
  stays.close();
  await stranger.close();
  return { stays: stays.id, leaves: leaves.id, stranger: id };
}

test('level debug tells the way of sockets and rooms, and what is dropped', async () => {
  const server = await startServer({ 'log-level': 'debug' });
  const roomId = longRoom();
  const { stays, leaves, stranger } = await play(server, roomId);
  const told = (text) => server.hostd.logged(new RegExp(`level=debug ${text}`));
  await told(`msg="room created" room=${roomId}`);
  await told(`msg="socket connected" socket=${stays} namespace=/ client=`);
  await told(`msg=joined room=${roomId} socket=${leaves}`);
  await told(`msg="join refused" room=${roomId}-no socket=${stranger} why="Room does not exist"`);
  const dropped = (event, cause) =>
    told(`msg="event dropped" event=${event} cause="${cause}" socket=${stays} room=${roomId}`);
  await dropped('ice-candidate', "its receiver is not in the sender's room");
  await dropped('offer', 'its payload cannot be used');
  await told(`msg="socket disconnected" socket=${leaves} reason="transport close"`);
  await told(`msg=left room=${roomId} socket=${leaves}`);
  await server.stop();
  const lines = server.hostd.log.trimEnd().split('\n');
  for (const line of lines) assert.match(line, kLine);
  assert.ok(!server.hostd.log.includes(kPayload));
});

test('above it no room is named', async () => {
  const server = await startServer({ 'log-level': 'info' });
  const roomId = longRoom();
  await play(server, roomId);
  await server.stop();
  assert.match(server.hostd.log, /level=info/);
  for (const word of [roomId, kPayload]) assert.ok(!server.hostd.log.includes(word));
});

test('repeats are held back, and counted', async () => {
  const server = await startServer({ 'limits.check_count': 0 });
  const remark = (message) =>
    fetch(`${server.url}/api/logs_debug`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message, timestamp: 1 }),
    });
  for (let i = 0; i < 70; ++i) assert.equal((await remark(`again ${i}`)).status, 200);
  await server.stop();
  assert.equal(server.hostd.log.match(/again \d+/g).length, 60);
});
