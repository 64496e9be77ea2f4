// The job of hostd as its users would write it on Socket.IO, Express and ioredis: rooms and who is in
// them are in Redis, relays go to the room of a socket's id.
//
//   node server.mjs PORT REDIS-SOCKET       # ADAPTER=1: with @socket.io/redis-adapter
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import express from 'express';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

const [port, socketPath] = process.argv.slice(2);
const redis = new Redis({ path: socketPath });

const kRoomTtl = 86400;
const kEmptyRoomTtl = 900;
const kSocketTtl = 90000;
const kJoinWindow = 5;
const kMostJoins = 2;

const roomKey = (room) => `room:${room}`;
const socketsKey = (room) => `room:${room}:sockets`;
const socketKey = (socket) => `socket:${socket}`;

const roomExists = async (room) => (await redis.hexists(roomKey(room), 'created_at')) === 1;

async function createRoom(room) {
  await redis
    .multi()
    .hset(roomKey(room), 'created_at', Date.now())
    .expire(roomKey(room), kRoomTtl)
    .exec();
}

async function mayJoin(address) {
  const key = `ratelimit:join:${address}`;
  const now = Date.now();
  const answers = await redis
    .multi()
    .zremrangebyscore(key, 0, now - kJoinWindow * 1000)
    .zadd(key, now, `${now}-${Math.random()}`)
    .zcard(key)
    .expire(key, kJoinWindow)
    .exec();
  return answers[2][1] <= kMostJoins;
}

async function bind(socket, room) {
  await redis
    .multi()
    .set(socketKey(socket), room, 'EX', kSocketTtl)
    .sadd(socketsKey(room), socket)
    .expire(socketsKey(room), kRoomTtl)
    .expire(roomKey(room), kRoomTtl)
    .exec();
}

async function unbind(socket, room) {
  await redis.multi().del(socketKey(socket)).srem(socketsKey(room), socket).exec();
  if ((await redis.scard(socketsKey(room))) === 0) {
    await redis.expire(roomKey(room), kEmptyRoomTtl);
  }
}

const app = express();
app.set('trust proxy', true);
app.use(express.json());
const server = createServer(app);
const io = new Server(server, { cors: { origin: true, credentials: true } });
if (process.env.ADAPTER) io.adapter(createAdapter(redis.duplicate(), redis.duplicate()));

app.post('/api/create_room', async (request, response) => {
  const { roomId } = request.body;
  if (!roomId) return response.status(400).json({ error: 'Room ID is required' });
  if (await roomExists(roomId)) {
    return response.json({ success: true, message: 'room exists (rejoin allowed)' });
  }
  await createRoom(roomId);
  return response.json({ success: true, message: 'create room success' });
});

app.post('/api/check_room', async (request, response) => {
  const { roomId } = request.body;
  if (!roomId) return response.status(400).json({ error: 'Room ID is required' });
  return response.json({ available: !(await roomExists(roomId)) });
});

app.post('/api/leave_room', async (request, response) => {
  const { roomId, socketId } = request.body;
  if (!roomId || !socketId) {
    return response.status(400).json({ error: 'Room ID and Socket ID are required' });
  }
  if (!(await roomExists(roomId))) {
    return response.json({ success: true, message: 'Room does not exist.' });
  }
  io.to(roomId).emit('peer-disconnected', { peerId: socketId });
  await unbind(socketId, roomId);
  io.in(socketId).socketsLeave(roomId);
  return response.json({ success: true, message: 'Successfully left the room' });
});

io.on('connection', (socket) => {
  const forwarded = socket.handshake.headers['x-forwarded-for'];
  const address = forwarded?.split(',')[0] ?? socket.handshake.address;

  socket.on('join', async ({ roomId }) => {
    const answer = (success, message) => socket.emit('joinResponse', { success, message, roomId });
    const bound = await redis.get(socketKey(socket.id));
    if (bound && bound !== roomId) return answer(false, 'Socket is already bound to another room');
    if (!bound && !(await mayJoin(address))) return answer(false, 'Rate limit exceeded');
    if (!(await roomExists(roomId))) return answer(false, 'Room does not exist');
    await bind(socket.id, roomId);
    socket.join(roomId);
    answer(true, 'Successfully joined room');
    return socket.to(roomId).emit('ready', { peerId: socket.id });
  });

  for (const [event, member] of [
    ['offer', 'offer'],
    ['answer', 'answer'],
    ['ice-candidate', 'candidate'],
  ]) {
    socket.on(event, (data) => {
      io.to(data.peerId).emit(event, {
        [member]: data[member],
        from: data.from,
        peerId: socket.id,
      });
    });
  }

  socket.on('disconnect', async () => {
    const room = await redis.get(socketKey(socket.id));
    if (!room) return;
    socket.to(room).emit('peer-disconnected', { peerId: socket.id });
    await unbind(socket.id, room);
  });
});

server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
