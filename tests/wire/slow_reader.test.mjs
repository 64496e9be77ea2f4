// Clients that stop reading: they are given up, their room is told, and nothing is kept for them.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { joined, longRoom, Peer } from '../lib/clients.mjs';
import { startServer } from '../lib/hostd.mjs';
import { RawWebSocket } from '../lib/raw.mjs';
import { eventually } from '../lib/wait.mjs';

const kOffer = 'x'.repeat(900000);

for (const [why, options, offers] of [
  // Both kernels' buffers hold some 10 MB; what is sent goes far beyond them.
  ['too much waits for it', { 'engineio.max_buffered': 1000000 }, 40],
  [
    'its pong is missing, while much waits for it',
    {
      'engineio.max_buffered': 100000000,
      'engineio.ping_interval': 1000,
      'engineio.ping_timeout': 1000,
    },
    25,
  ],
]) {
  test(`a client that stopped reading is given up when ${why}`, async () => {
    const server = await startServer(options);
    const descriptors = () => readdirSync(`/proc/${server.hostd.pid}/fd`).length;
    const roomId = longRoom();
    await server.redis.command('HSET', `room:${roomId}`, 'created_at', '1');
    const peer = await Peer.connect(server);
    assert.deepEqual(await peer.join(roomId), joined(roomId));
    const calm = descriptors();

    const reader = await RawWebSocket.connect(server);
    assert.deepEqual(await reader.join(roomId), joined(roomId));
    assert.deepEqual(await peer.take('ready'), { peerId: reader.id });
    assert.equal(descriptors(), calm + 1);
    reader.connection.socket.pause();
    for (let i = 0; i < offers; i++) peer.emit('offer', { peerId: reader.id, offer: kOffer });

    assert.deepEqual(await peer.take('peer-disconnected'), { peerId: reader.id });
    await eventually(() => descriptors() === calm, 'the end of its connection', 15000);
    await peer.close();
    reader.connection.socket.destroy();
    await server.stop();
  });
}
