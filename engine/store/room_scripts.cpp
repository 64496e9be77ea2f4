#include "engine/store/room_scripts.h"

#include <string>

#include "engine/store/script_parts.h"

namespace signalbox::store {
// KEYS room; where they are asked for here: what its creator's address has created, and guessed
// ARGV 1 seconds the room lives, 2 its secret (see secret.h) and 3 its capacity, each may be empty,
//      4-5 limit of rooms and its window in seconds, 6-7 the same of guesses
// Answers 1 created, 0 it was there, or {'limited', retry after s, 0}.
const Script& create_room_script() {
  static const Script script(std::string(kLimitPart) + R"lua(
local refused = refusal(KEYS[2], ARGV[4], ARGV[5]) or refusal(KEYS[3], ARGV[6], ARGV[7])
if refused then
  return refused
end
count(KEYS[2], ARGV[4], ARGV[5])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HSETNX', KEYS[1], 'created_at', string.format('%.0f', now_ms)) == 0 then
  return 0
end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'secret', ARGV[2])
end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'capacity', ARGV[3])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
count(KEYS[3], ARGV[6], ARGV[7])
return 1
)lua");
  return script;
}

// KEYS room; where they are asked for here: what the address has asked about, and guessed
// ARGV 1-2 limit of questions and its window in seconds, 3-4 the same of guesses
// Answers 1 it is there, 0 it is not, or {'limited', retry after s, 0}.
const Script& check_room_script() {
  static const Script script(std::string(kLimitPart) + R"lua(
local refused = refusal(KEYS[2], ARGV[1], ARGV[2]) or refusal(KEYS[3], ARGV[3], ARGV[4])
if refused then
  return refused
end
count(KEYS[2], ARGV[1], ARGV[2])
local exists = redis.call('HEXISTS', KEYS[1], 'created_at')
if exists == 0 then
  count(KEYS[3], ARGV[3], ARGV[4])
end
return exists
)lua");
  return script;
}

// KEYS room, its sockets, the socket, the node's index, the node; of an address that is limited the
//      list of attempts, and what it has guessed
// ARGV 1 room id, 2 socket id, 3 most sockets in a room (0: any number), 4 seconds the room lives,
//      5 seconds the socket's binding lives, 6 attempts per window (0: any number), 7 window in
//      seconds, 8 random,
//      9 token of the node, 10 its id, 11 prefix of a node's channel, 12 what the other nodes are
//      told, 13 the same when the socket was in already, 14 the room's secret, 15-16 limit of
//      guesses and its window in seconds
// Answers {'lost'} (the node is not registered), {'elsewhere'}, {'limited', retry after s, attempts
// left}, {'absent'}, {'secret'} (not that one), {'full'} or
// {'joined', 1 when it was in already, members, stamp}.
const Script& join_room_script() {
  static const Script script(std::string(kTellPart) + kAttemptPart + kLimitPart + kRoomPart +
                             R"lua(
if redis.call('HGET', KEYS[5], 'token') ~= ARGV[9] then
  return {'lost'}
end
local bound = redis.call('GET', KEYS[3])
if bound and bound ~= ARGV[1] then
  return {'elsewhere'}
end

if KEYS[6] and not bound then
  local limit = tonumber(ARGV[6])
  local refused = limit > 0 and attempt(KEYS[6], limit, ARGV[7], ARGV[8])
      or refusal(KEYS[7], ARGV[15], ARGV[16])
  if refused then
    return refused
  end
end

local room = redis.call('HMGET', KEYS[1], 'created_at', 'secret', 'capacity')
if not room[1] then
  if bound then  -- to a room that has vanished meanwhile
    redis.call('DEL', KEYS[3])
    redis.call('SREM', KEYS[2], ARGV[2])
    redis.call('HDEL', KEYS[4], ARGV[2])
  else
    count(KEYS[7], ARGV[15], ARGV[16])
  end
  return {'absent'}
end
if not bound and not opens(room[2], ARGV[14]) then
  count(KEYS[7], ARGV[15], ARGV[16])
  return {'secret'}
end

local most = most_sockets(tonumber(ARGV[3]), room[3])
if most > 0 and not bound and redis.call('SCARD', KEYS[2]) >= most then
  return {'full'}
end

redis.call('SADD', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], ARGV[1], 'EX', ARGV[5])
redis.call('HSET', KEYS[4], ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
local members = redis.call('SMEMBERS', KEYS[2])
local now = stamp()
tell(members, ARGV[10], ARGV[11], bound and ARGV[13] or ARGV[12], now)
return {'joined', bound and 1 or 0, members, now}
)lua");
  return script;
}

// KEYS room, its sockets, the socket, the index that has it, what the fence is a field of, what the
//      address that asks has guessed
// ARGV 1 room id, 2 socket id, 3 seconds an emptied room lives, 4 field of the fence, 5 its value,
//      6 node that is not told, 7 prefix of a node's channel, 8 what the other nodes are told,
//      9-10 limit of guesses and its window in seconds
// Answers {'lost'} (the fence does not hold), {'limited', retry after s, 0}, {'absent'},
// {'stranger'} or {'left', members before}.
//
// Being in the room's set decides: others may have kept a room alive for longer than this socket's
// own binding lives, and it must not stay in the set for ever.
const Script& leave_room_script() {
  static const Script script(std::string(kTellPart) + kLimitPart + R"lua(
if redis.call('HGET', KEYS[5], ARGV[4]) ~= ARGV[5] then
  return {'lost'}
end
local refused = refusal(KEYS[6], ARGV[9], ARGV[10])
if refused then
  return refused
end
local members = redis.call('SMEMBERS', KEYS[2])
local removed = redis.call('SREM', KEYS[2], ARGV[2])
local absent = redis.call('HEXISTS', KEYS[1], 'created_at') == 0
if (removed == 1 or absent) and redis.call('GET', KEYS[3]) == ARGV[1] then
  redis.call('DEL', KEYS[3])
end
if redis.call('HGET', KEYS[4], ARGV[2]) == ARGV[1] then
  redis.call('HDEL', KEYS[4], ARGV[2])
end
if removed == 1 then
  tell(members, ARGV[6], ARGV[7], ARGV[8], stamp())
end
if removed == 0 then
  count(KEYS[6], ARGV[9], ARGV[10])
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

// KEYS the node, its index; of each binding the room, its sockets, the socket
// ARGV 1 token of the node, 2 seconds a room lives, 3 seconds a binding lives, 4 the node's id,
//      5 prefix of a node's channel; of each binding the room id, the socket id, and what the other
//      nodes are told if that is news
// Answers {'lost'} (the node is not registered), or {'bound', stamp, {1 if it was not yet, the
// members of the room}...}.
const Script& bind_script() {
  static const Script script(std::string(kTellPart) + R"lua(
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return {'lost'}
end
local now = stamp()
local now_ms = string.format('%.0f', math.floor(now / 1000))
local answer = {'bound', now}
for i = 0, (#KEYS - 2) / 3 - 1 do
  local room_key, sockets_key, socket_key = KEYS[3 + 3 * i], KEYS[4 + 3 * i], KEYS[5 + 3 * i]
  local room, socket, news = ARGV[6 + 3 * i], ARGV[7 + 3 * i], ARGV[8 + 3 * i]
  redis.call('HSETNX', room_key, 'created_at', now_ms)
  redis.call('EXPIRE', room_key, ARGV[2])
  local added = redis.call('SADD', sockets_key, socket)
  redis.call('EXPIRE', sockets_key, ARGV[2])
  redis.call('SET', socket_key, room, 'EX', ARGV[3])
  redis.call('HSET', KEYS[2], socket, room)
  redis.call('EXPIRE', KEYS[2], ARGV[3])
  local members = redis.call('SMEMBERS', sockets_key)
  if added == 1 then
    tell(members, ARGV[4], ARGV[5], news, now)
  end
  answer[#answer + 1] = {added, members}
end
return answer
)lua");
  return script;
}

}  // namespace signalbox::store
