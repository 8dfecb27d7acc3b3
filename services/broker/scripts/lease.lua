#!lua flags=allow-oom
-- Take a free lane, or renew an own lease. The token grows with each taking: a writer that slept
-- through the loss of its lease still holds the old one and is refused at the commit.
-- KEYS: lease, tokens   ARGV: own lease or '', worker, ttl_ms; 0 gives the own lease back
-- Returns the lease held now, or '' where this worker holds none.
local held = redis.call('GET', KEYS[1])
if held then
  if held ~= ARGV[1] then return '' end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return ARGV[3] == '0' and '' or held
end
if ARGV[3] == '0' then return '' end
local lease = redis.call('INCR', KEYS[2]) .. '|' .. ARGV[2]
redis.call('SET', KEYS[1], lease, 'PX', ARGV[3])
return lease
