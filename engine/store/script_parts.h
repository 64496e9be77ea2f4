// Lua that several scripts have in common, to be put before them.
//
// Thread: any; constants.
#pragma once

namespace signalbox::store {

// stamp(): the time, in microseconds.
// tell(members, uninformed, channel_prefix, news, now): publishes `news`, with that stamp behind
// it, to each node, but for `uninformed`, that has members.
inline constexpr const char* kTellPart = R"lua(
local function stamp()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function tell(members, uninformed, channel_prefix, news, now)
  local told = {[uninformed] = true}
  local message = news .. struct.pack('>I8', now)
  for _, member in ipairs(members) do
    local node = string.sub(member, 1, 4)
    if not told[node] then
      told[node] = true
      redis.call('PUBLISH', channel_prefix .. node, message)
    end
  end
end
)lua";

// attempt(key, limit, window_s, random): counts an attempt; nothing, or {'limited', retry after s,
// attempts left}.
//
// The list of attempts is a sorted set of those within the window, by time. A refused attempt
// counts like any other, so who keeps hammering stays out. Just before an attempt is added, all but
// the newest <limit> go: they alone can make it one too many. The next attempt passes when at most
// <limit> - 1 of those listed now are still in the window, that is when the <limit>-th newest has
// left it; the oldest may go earlier without making room.
inline constexpr const char* kAttemptPart = R"lua(
local function attempt(key, limit, window_s, random)
  local window_ms = window_s * 1000
  local time = redis.call('TIME')
  local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
  local now = string.format('%.0f', now_ms)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now_ms - window_ms))
  redis.call('ZREMRANGEBYRANK', key, 0, -(limit + 1))
  redis.call('ZADD', key, now, now .. '-' .. random)
  redis.call('EXPIRE', key, window_s)
  local count = redis.call('ZCARD', key)
  if count > limit then
    local decisive = redis.call('ZRANGE', key, -limit, -limit, 'WITHSCORES')
    local wait_ms = decisive[2] + window_ms - now_ms
    return {'limited', math.max(1, math.ceil(wait_ms / 1000)), math.max(limit - count, 0)}
  end
end
)lua";

// refusal(key, limit, window_s): nothing, or {'limited', retry after s, 0} when as much as <limit>
// has been counted. count(key, limit, window_s): counts one more. Without a key, or with limit 0,
// neither does anything.
//
// The sliding window is made of two counters: of the window that began with the first count, and of
// the one before it, of which as much still counts as has not slid out yet. That is a hash of three
// numbers, however high the limit is, where a list of all times would have as many entries. It is
// exact over the long run; of a burst at the end of a window it allows some of the next one early.
// What is refused is not counted, so that one who hammers cannot lock out others of his address.
inline constexpr const char* kLimitPart = R"lua(
local function counted(key, window_s)
  local time = redis.call('TIME')
  local now, length = time[1] * 1000 + math.floor(time[2] / 1000), window_s * 1000
  local known = redis.call('HMGET', key, 'begin', 'count', 'before')
  local begin, count, before = tonumber(known[1]), tonumber(known[2]), tonumber(known[3])
  if not begin or now < begin or now - begin >= 2 * length then
    return {begin = now, count = 0, before = 0, passed = 0, length = length}
  end
  if now - begin >= length then
    begin, count, before = begin + length, 0, count
  end
  return {begin = begin, count = count, before = before, passed = now - begin, length = length}
end

local function refusal(key, limit, window_s)
  if not key or tonumber(limit) == 0 then
    return nil
  end
  limit = tonumber(limit)
  local w = counted(key, window_s)
  if w.count + w.before * (1 - w.passed / w.length) < limit then
    return nil
  end
  local wait_ms = w.length * (2 - limit / w.count) - w.passed
  if w.count < limit then
    wait_ms = w.length * (1 - (limit - w.count) / w.before) - w.passed
  end
  return {'limited', math.floor(wait_ms / 1000) + 1, 0}
end

local function count(key, limit, window_s)
  if not key or tonumber(limit) == 0 then
    return
  end
  local w = counted(key, window_s)
  redis.call('HSET', key, 'begin', string.format('%.0f', w.begin), 'count', w.count + 1,
             'before', w.before)
  redis.call('EXPIRE', key, 2 * window_s)
end
)lua";

// What a room was created with. opens(stored, digest): whether its secret (store/secret.h) is that
// one; what has none is opened by none. most_sockets(limit, capacity): how many it takes (0: any
// number), of the limit of all rooms and its own capacity.
inline constexpr const char* kRoomPart = R"lua(
local function opens(stored, digest)
  if not stored then
    return digest == ''
  end
  local salt = string.match(stored, '^[^:]*')
  return stored == salt .. ':' .. redis.sha1hex(salt .. digest)
end

local function most_sockets(limit, capacity)
  if capacity and (limit == 0 or tonumber(capacity) < limit) then
    return tonumber(capacity)
  end
  return limit
end
)lua";

}  // namespace signalbox::store
