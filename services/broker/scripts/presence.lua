#!lua flags=allow-oom
-- Tell that a worker lives, and learn with how many it shares the work. By the broker's clock, so that skewed
-- workers agree. A worker of an older release shares nothing while one of a newer release lives: it would write
-- state that the newer one has to understand.
-- KEYS: workers   ARGV: worker, its release, ms after which a silent one is gone, '1' to be forgotten at once
-- Returns the number of living workers of the newest release, 0 where this one is of an older release.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me = ARGV[2] .. '|' .. ARGV[1]
if ARGV[4] == '1' then redis.call('ZREM', KEYS[1], me) else redis.call('ZADD', KEYS[1], now, me) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
local newest, peers = tonumber(ARGV[2]), 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local release = tonumber(string.match(member, '^(%d+)|'))
  if release > newest then newest, peers = release, 0 end
  if release == newest then peers = peers + 1 end
end
return newest == tonumber(ARGV[2]) and peers or 0
