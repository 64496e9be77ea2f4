#include "engine/store/registry_scripts.h"

namespace signalbox::store {

// A node's hash has the field `token` while the node lives, and `cleaner` (the id of whoever cleans
// up) and `departed` (the token that it had) once it has been given up. The sorted set has the end
// of the lease: of the node's own in the first case, of the cleaner's claim in the second. Both
// keys outlive the lease by far, so that a node that has been given up by nobody yet is still known
// as what it is.
//
// `steady` is since when the node has renewed its lease well before the end (ms); whoever has done
// so for as long as a lease lasts may judge others. Redis says so itself, in the step that claims:
// a heartbeat that comes late, because Redis hung, would find the leases of all others run out.
//
// A token is the node's secret and a number that grows with each registration, so that nothing that
// is still on its way from an earlier connection has an effect.

// KEYS the nodes, the node
// ARGV 1 node id, 2 secret, 3 number of the registration, 4 lease in ms, 5 seconds that the keys
//      live, 6 prefix of a node's channel
//
// Answers 'registered', 'taken' (the id is another node's), 'cleaning' (this node has been
// given up, and somebody is cleaning up), 'yours' (nobody does any more: now this node has to) or
// 'old'. Who may not publish gets an error: its joins would be half done.
const Script& register_script() {
  static const Script script(R"lua(
redis.call('PUBLISH', ARGV[6], '')
local hash = redis.call('HMGET', KEYS[2], 'token', 'cleaner')
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local lease_end = string.format('%.0f', now_ms + ARGV[4])
if hash[2] then
  if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) > now_ms then
    return 'cleaning'
  end
  redis.call('HSET', KEYS[2], 'cleaner', ARGV[1])
  redis.call('ZADD', KEYS[1], lease_end, ARGV[1])
  return 'yours'
end
if hash[1] then
  local secret, number = string.match(hash[1], '^(.*):(%d+)$')
  if secret ~= ARGV[2] then
    return 'taken'
  end
  if tonumber(number) > tonumber(ARGV[3]) then
    return 'old'
  end
end
redis.call('ZADD', KEYS[1], lease_end, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('HSET', KEYS[2], 'token', ARGV[2] .. ':' .. ARGV[3])
redis.call('HSET', KEYS[2], 'steady', string.format('%.0f', now_ms))
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 'registered'
)lua");
  return script;
}

// KEYS the nodes, the node
// ARGV 1 node id, 2 token, 3 lease in ms, 4 seconds that the keys live, 5 most nodes to claim,
//      6 prefix of a node's key
// Answers {'lost'}, or {'renewed', how many nodes there are, the nodes claimed...}. Their keys
// share the slot of KEYS.
const Script& heartbeat_script() {
  static const Script script(R"lua(
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then
  return {'lost'}
end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local now, lease_end = string.format('%.0f', now_ms), string.format('%.0f', now_ms + ARGV[3])
local remaining = (redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) - now_ms
if remaining < ARGV[3] / 2 then
  redis.call('HSET', KEYS[2], 'steady', now)
end
redis.call('ZADD', KEYS[1], lease_end, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
local answer = {'renewed', redis.call('ZCARD', KEYS[1])}
if now_ms - (redis.call('HGET', KEYS[2], 'steady') or now) >= tonumber(ARGV[3]) then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[5])) do
    local key = ARGV[6] .. id
    local token = redis.call('HGET', key, 'token')
    if token then
      redis.call('HSET', key, 'departed', token)
      redis.call('HDEL', key, 'token')
    end
    redis.call('HSET', key, 'cleaner', ARGV[1])
    redis.call('EXPIRE', key, ARGV[4])
    redis.call('ZADD', KEYS[1], lease_end, id)
    answer[#answer + 1] = id
  end
end
return answer
)lua");
  return script;
}

// KEYS the nodes, the node
// ARGV 1 node id, 2 token, 3 whether it leaves sockets behind
// Then its lease is over and it stays known, so that the others clean up after it.
const Script& unregister_script() {
  static const Script script(R"lua(
if redis.call('HGET', KEYS[2], 'token') ~= ARGV[2] then
  return 0
end
if ARGV[3] == '1' then
  redis.call('ZADD', KEYS[1], 0, ARGV[1])
  return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
)lua");
  return script;
}

// KEYS the nodes, the node that was given up
// ARGV 1 its id, 2 the cleaner's id, 3 lease in ms
// Answers the token of the registration that is over, or nothing when somebody else cleans up.
const Script& renew_claim_script() {
  static const Script script(R"lua(
if redis.call('HGET', KEYS[2], 'cleaner') ~= ARGV[2] then
  return false
end
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now_ms + ARGV[3]), ARGV[1])
return redis.call('HGET', KEYS[2], 'departed') or ''
)lua");
  return script;
}

// KEYS the nodes, the node that was given up
// ARGV 1 its id, 2 the cleaner's id
const Script& release_claim_script() {
  static const Script script(R"lua(
if redis.call('HGET', KEYS[2], 'cleaner') == ARGV[2] then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('DEL', KEYS[2])
end
return 1
)lua");
  return script;
}

// KEYS a node's index, the same set aside, what the claim is a field of
// ARGV 1 the field, 2 its value
// Sets the index aside, unless what was set aside before has not been dealt with yet. Answers how
// many sockets are set aside, or -1 when the claim does not hold: the node may be back.
const Script& set_aside_script() {
  static const Script script(R"lua(
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then
  return -1
end
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('RENAME', KEYS[1], KEYS[2])
end
return redis.call('HLEN', KEYS[2])
)lua");
  return script;
}

}  // namespace signalbox::store
