#!lua flags=allow-oom
-- Take a free lane, or renew an own lease. The token grows with each taking: a writer that slept
-- through the loss of its lease still holds the old one and is refused at the commit.
-- KEYS: lease, tokens, leader   ARGV: own lease or '', worker, ttl_ms; 0 gives the own lease back
-- Returns the lease held now, or '' where this worker holds none.
-- A lease that ran out is still its holder's until another takes the lane: a machine that gives nobody enough time would
-- otherwise take lanes from workers that nobody relieves.
local function leads(mine) return (redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[3])) == mine end
if leads(ARGV[1]) then
  if ARGV[3] == '0' then
    redis.call('DEL', KEYS[1], KEYS[3])
    return ''
  end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
  return ARGV[1]
end
if ARGV[1] ~= '' or redis.call('EXISTS', KEYS[1]) == 1 then return '' end
local lease = redis.call('INCR', KEYS[2]) .. '|' .. ARGV[2]
redis.call('SET', KEYS[1], lease, 'PX', ARGV[3])
redis.call('SET', KEYS[3], lease)
return lease
