#include "engine/store/room_scripts.h"

namespace signalbox::store {

// KEYS room
// ARGV 1 seconds the room lives
// Answers 1 created, 0 it was there.
const Script& create_room_script() {
  static const Script script(R"lua(
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HSETNX', KEYS[1], 'created_at', string.format('%.0f', now_ms)) == 0 then
  return 0
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
)lua");
  return script;
}

// KEYS room, its sockets, the socket, and (when joins are limited) the list of attempts
// ARGV 1 room id, 2 socket id, 3 most sockets in a room (0: any number), 4 seconds the room lives,
//      5 seconds the socket's binding lives, 6 attempts per window, 7 window in seconds, 8 random
// Answers {'elsewhere'}, {'limited', retry after s, attempts left}, {'absent'}, {'full'} or
// {'joined', 1 when it was in already, members}.
//
// The list of attempts is a sorted set of those within the window, by time. A refused attempt
// counts like any other, so who keeps hammering stays out. Just before an attempt is added, all but
// the newest <limit> go: they alone can make it one too many. The next attempt passes when at most
// <limit> - 1 of those listed now are still in the window, that is when the <limit>-th newest has
// left it; the oldest may go earlier without making room.
const Script& join_room_script() {
  static const Script script(R"lua(
local bound = redis.call('GET', KEYS[3])
if bound and bound ~= ARGV[1] then
  return {'elsewhere'}
end

if KEYS[4] and not bound then
  local limit, window_ms = tonumber(ARGV[6]), ARGV[7] * 1000
  local time = redis.call('TIME')
  local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
  local now = string.format('%.0f', now_ms)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', now_ms - window_ms))
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -(limit + 1))
  redis.call('ZADD', KEYS[4], now, now .. '-' .. ARGV[8])
  redis.call('EXPIRE', KEYS[4], ARGV[7])
  local count = redis.call('ZCARD', KEYS[4])
  if count > limit then
    local decisive = redis.call('ZRANGE', KEYS[4], -limit, -limit, 'WITHSCORES')
    local wait_ms = decisive[2] + window_ms - now_ms
    return {'limited', math.max(1, math.ceil(wait_ms / 1000)), math.max(limit - count, 0)}
  end
end

if redis.call('HEXISTS', KEYS[1], 'created_at') == 0 then
  if bound then  -- to a room that has vanished meanwhile
    redis.call('DEL', KEYS[3])
    redis.call('SREM', KEYS[2], ARGV[2])
  end
  return {'absent'}
end

local size = tonumber(ARGV[3])
if size > 0 and not bound and redis.call('SCARD', KEYS[2]) >= size then
  return {'full'}
end

redis.call('SADD', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], ARGV[1], 'EX', ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return {'joined', bound and 1 or 0, redis.call('SMEMBERS', KEYS[2])}
)lua");
  return script;
}

// KEYS room, its sockets, the socket
// ARGV 1 room id, 2 socket id, 3 seconds an emptied room lives
// Answers {'absent'}, {'stranger'} or {'left', members before}.
//
// Being in the room's set decides: others may have kept a room alive for longer than this socket's
// own binding lives, and it must not stay in the set for ever.
const Script& leave_room_script() {
  static const Script script(R"lua(
local members = redis.call('SMEMBERS', KEYS[2])
local removed = redis.call('SREM', KEYS[2], ARGV[2])
local absent = redis.call('HEXISTS', KEYS[1], 'created_at') == 0
if (removed == 1 or absent) and redis.call('GET', KEYS[3]) == ARGV[1] then
  redis.call('DEL', KEYS[3])
end
if absent then
  return {'absent'}
end
if removed == 0 then
  return {'stranger'}
end
if #members == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[3])  -- an empty set is no key any more
end
return {'left', members}
)lua");
  return script;
}

}  // namespace signalbox::store
