#!lua flags=allow-oom
-- Note that this worker is about to fold the first entry beyond the checkpoint, before it may die of it.
-- KEYS: lease, lane, events, leader   ARGV: lease
-- Returns how many other workers noted the same entry before and never got past it; 0 where there is none.
-- A lease that ran out is still its holder's until another takes the lane: a machine that gives nobody enough time would
-- otherwise take lanes from workers that nobody relieves.
local function leads(mine) return (redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[4])) == mine end
if not leads(ARGV[1]) then return 0 end
local found = redis.call('HMGET', KEYS[2], 'checkpoint', 'tried', 'tried_by')
local first = redis.call('XRANGE', KEYS[3], '(' .. (found[1] or '0-0'), '+', 'COUNT', 1)[1]
if not first then return 0 end
local me = string.match(ARGV[1], '|(.*)$')
local others, mine = 0, false
local names = found[2] == first[1] and found[3] or ''
for name in string.gmatch(names, '%S+') do
  if name == me then mine = true else others = others + 1 end
end
if not mine then redis.call('HSET', KEYS[2], 'tried', first[1], 'tried_by', names .. ' ' .. me) end
return others
