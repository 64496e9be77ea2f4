#include "engine/store/split_scripts.h"

#include <string>

#include "engine/store/script_parts.h"

namespace signalbox::store {

// KEYS the list of an address's attempts to join, what it has guessed
// ARGV 1 attempts per window (0: any number), 2 window in seconds, 3 random, 4-5 limit of guesses
//      and its window in seconds
// Answers {'passed'} or {'limited', retry after s, attempts left}.
const Script& attempt_script() {
  static const Script script(std::string(kAttemptPart) + kLimitPart + R"lua(
local limit = tonumber(ARGV[1])
return limit > 0 and attempt(KEYS[1], limit, ARGV[2], ARGV[3])
    or refusal(KEYS[2], ARGV[4], ARGV[5]) or {'passed'}
)lua");
  return script;
}

// KEYS the node's fence, its index
// ARGV 1 token of the node, 2 room id, 3 socket id, 4 seconds both keys live
// Answers {'lost'} (the fence is down, or another registration's) or {'listed'}.
const Script& enlist_script() {
  static const Script script(R"lua(
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return {'lost'}
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return {'listed'}
)lua");
  return script;
}

// In a room's slot nobody can see whether a node is registered. What the room knows of each node
// that has had sockets in it is the number of its last registration, with a '-' before it once that
// was given up and cleaned up after: what comes from an earlier one, or from that, comes late.

// KEYS room, its sockets, the nodes of the room
// ARGV 1 'join' or 'bind' (whatever Redis knows of the room), 2 socket id, 3 most sockets in it,
//      4 seconds the room lives, 5 secret of the node, 6 number of its registration, 7 its id,
//      8 prefix of a node's channel, 9 what the other nodes are told, 10 the same when the socket
//      was in already, 11 the room's secret
// Answers {'lost'} (the registration is over), {'absent'}, {'secret'} (not that one), {'full'} or
// {'joined', 1 when it was in already, members, stamp}.
const Script& enter_script() {
  static const Script script(std::string(kTellPart) + kRoomPart + R"lua(
local known, number = redis.call('HGET', KEYS[3], ARGV[5]), tonumber(ARGV[6])
if known and (math.abs(known) > number or tonumber(known) == -number) then
  return {'lost'}
end
local now = stamp()
local joining = ARGV[1] == 'join'
local bound = redis.call('SISMEMBER', KEYS[2], ARGV[2]) == 1
if joining then
  local room = redis.call('HMGET', KEYS[1], 'created_at', 'secret', 'capacity')
  if not room[1] then
    redis.call('SREM', KEYS[2], ARGV[2])
    return {'absent'}
  end
  if not bound and not opens(room[2], ARGV[11]) then
    return {'secret'}
  end
  local most = most_sockets(tonumber(ARGV[3]), room[3])
  if not bound and redis.call('SCARD', KEYS[2]) >= most then
    return {'full'}
  end
else
  redis.call('HSETNX', KEYS[1], 'created_at', string.format('%.0f', math.floor(now / 1000)))
end
redis.call('SADD', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
for _, key in ipairs(KEYS) do
  redis.call('EXPIRE', key, ARGV[4])
end
local members = redis.call('SMEMBERS', KEYS[2])
if not bound then
  tell(members, ARGV[7], ARGV[8], ARGV[9], now)
elseif joining then
  tell(members, ARGV[7], ARGV[8], ARGV[10], now)
end
return {'joined', bound and 1 or 0, members, now}
)lua");
  return script;
}

// KEYS room, its sockets, the nodes of the room
// ARGV 1 'leave', 'evict' (another node's socket) or 'clean' (its node has departed), 2 socket id,
//      3 seconds an emptied room lives, 4 secret and 5 number of the registration of the node that
//      asks, or of the one that has departed, 6 seconds that this is remembered, 7 node that is not
//      told, 8 prefix of a node's channel, 9 what the other nodes are told
// Answers {'lost'} (the registration is over), {'absent'}, {'stranger'} or {'left', members
// before}.
const Script& exit_script() {
  static const Script script(std::string(kTellPart) + R"lua(
local known, number = redis.call('HGET', KEYS[3], ARGV[4]), tonumber(ARGV[5])
if known and (math.abs(known) > number
    or (ARGV[1] ~= 'clean' and tonumber(known) == -number)) then
  return {'lost'}
end
if ARGV[1] == 'clean' then
  redis.call('HSET', KEYS[3], ARGV[4], '-' .. ARGV[5])
elseif ARGV[1] == 'leave' and tonumber(known) ~= -number then
  redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
end
if ARGV[1] ~= 'evict' then
  if redis.call('TTL', KEYS[3]) < tonumber(ARGV[6]) then
    redis.call('EXPIRE', KEYS[3], ARGV[6])
  end
end
local members = redis.call('SMEMBERS', KEYS[2])
local removed = redis.call('SREM', KEYS[2], ARGV[2])
if removed == 1 then
  tell(members, ARGV[7], ARGV[8], ARGV[9], stamp())
end
if redis.call('HEXISTS', KEYS[1], 'created_at') == 0 then
  return {'absent'}
end
if removed == 0 then
  return {'stranger'}
end
if #members == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('EXPIRE', KEYS[3], math.max(ARGV[3], ARGV[6]))
end
return {'left', members}
)lua");
  return script;
}

// KEYS the socket
// ARGV 1 room id
const Script& unbind_script() {
  static const Script script(R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return {'done'}
)lua");
  return script;
}

// KEYS the node's fence, its index
// ARGV 1 token of the node, 2 socket id
// Answers {'lost'} or {'done'}.
const Script& unlist_script() {
  static const Script script(R"lua(
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return {'lost'}
end
redis.call('HDEL', KEYS[2], ARGV[2])
return {'done'}
)lua");
  return script;
}

// KEYS the node's fence
// ARGV 1 secret, 2 number of the registration, 3 seconds the key lives
const Script& raise_fence_script() {
  static const Script script(R"lua(
local token = redis.call('HGET', KEYS[1], 'token')
if token then
  local secret, number = string.match(token, '^(.*):(%d+)$')
  if secret == ARGV[1] and tonumber(number) > tonumber(ARGV[2]) then
    return 'old'
  end
end
redis.call('HSET', KEYS[1], 'token', ARGV[1] .. ':' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 'raised'
)lua");
  return script;
}

// KEYS the fence of a node that was given up, its index, the same set aside
// ARGV 1 secret and 2 number of the registration that is over, 3 seconds that what is set aside
// lives Takes the fence down, so that nothing comes to the index any more, and sets the index
// aside, unless what was set aside before has not been dealt with yet. Answers how many sockets are
// set aside, or -1 when the fence is that of a later registration, or of another node.
const Script& lower_fence_script() {
  static const Script script(R"lua(
local token = redis.call('HGET', KEYS[1], 'token')
if token then
  local secret, number = string.match(token, '^(.*):(%d+)$')
  if secret ~= ARGV[1] or tonumber(number) > tonumber(ARGV[2]) then
    return -1
  end
  redis.call('DEL', KEYS[1])
end
if redis.call('EXISTS', KEYS[3]) == 0 and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('RENAME', KEYS[2], KEYS[3])
end
redis.call('EXPIRE', KEYS[3], ARGV[3])
return redis.call('HLEN', KEYS[3])
)lua");
  return script;
}

}  // namespace signalbox::store
