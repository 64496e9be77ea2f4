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

}  // namespace signalbox::store
