#!lua flags=allow-oom
-- Take a free lane, or renew an own lease. The token grows with each taking: a writer that slept
-- through the loss of its lease still holds the old one and is refused at the commit.
-- KEYS: lease, tokens   ARGV: own lease or '', worker, ttl_ms
-- Returns the lease held now, or '' where another worker holds it.
local held = redis.call('GET', KEYS[1])
if held then
  if held ~= ARGV[1] then return '' end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return held
end
local lease = redis.call('INCR', KEYS[2]) .. '|' .. ARGV[2]
redis.call('SET', KEYS[1], lease, 'PX', ARGV[3])
return lease
