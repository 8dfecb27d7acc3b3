#!lua flags=allow-oom
-- Tell that a worker lives, and learn how many do. By the broker's clock, so that skewed workers agree.
-- KEYS: workers   ARGV: worker, ms after which a silent one is gone, '1' to be forgotten at once
-- Returns the number of living workers.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] == '1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], now, ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return redis.call('ZCARD', KEYS[1])
