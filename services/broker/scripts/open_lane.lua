#!lua flags=allow-oom
-- Open a lane for its new writer: settle the epoch and drop channels whose declaration changed.
-- A new epoch starts where the server is another one (restart, failover) or the declaration differs:
-- positions of before could otherwise be served again with other values.
-- KEYS: lease, lane, channels, events, leader   ARGV: lease, run_id, signature, fresh epoch, now_ms, key prefix of channels,
--       '1' where the feed is archived, then channel base name and signature in turn
-- Returns {epoch, checkpoint, started_at, last entry}, or {} where the lease is not held.
-- A lease that ran out is still its holder's until another takes the lane: a machine that gives nobody enough time would
-- otherwise take lanes from workers that nobody relieves.
local function leads(mine) return (redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[5])) == mine end
if not leads(ARGV[1]) then return {} end
local lane, channels, prefix = KEYS[2], KEYS[3], ARGV[6]
local found = redis.call('HMGET', lane, 'epoch', 'run_id', 'signature', 'checkpoint', 'started_at')

local wanted = {}
for i = 8, #ARGV, 2 do wanted[ARGV[i]] = ARGV[i + 1] end
local stored = redis.call('HGETALL', channels)
for i = 1, #stored, 2 do
  local base = string.match(stored[i], '^[^:]+')
  if wanted[base] ~= stored[i + 1] then
    local key = prefix .. stored[i]
    redis.call('DEL', key, key .. ':head', key .. ':deltas')
    redis.call('HDEL', channels, stored[i])
  end
end

local epoch, started = found[1], found[5]
if not epoch or found[2] ~= ARGV[2] or found[3] ~= ARGV[3] then
  epoch = ARGV[4]
  if not started then started = ARGV[5] end
  redis.call('HSET', lane, 'epoch', epoch, 'run_id', ARGV[2], 'signature', ARGV[3], 'started_at', started)
end
redis.pcall('XGROUP', 'CREATE', KEYS[4], 'processor', found[4] or '0', 'MKSTREAM')
-- The archive's group exists before anything can be trimmed that it was not given. What is on the stream already is
-- still to be archived; what went before that is not waited for.
if ARGV[7] == '1' then
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[4], 'archive', '0')
  if not made.err then
    local waiting, from = 0, '-'
    while true do
      local entries = redis.call('XRANGE', KEYS[4], from, '+', 'COUNT', 1000)
      for _, entry in ipairs(entries) do
        local fields = {}
        for f = 1, #entry[2], 2 do fields[entry[2][f]] = entry[2][f + 1] end
        if not fields['mark'] then waiting = waiting + tonumber(fields['n'] or 0) end
      end
      if #entries < 1000 then break end
      from = '(' .. entries[1000][1]
    end
    local counts = redis.call('HMGET', lane, 'accepted', 'shed')
    local archived = tonumber(counts[1] or 0) - tonumber(counts[2] or 0) - waiting
    redis.call('HSET', lane, 'archive', '0-0', 'archived', math.max(0, archived))
  end
else
  redis.pcall('XGROUP', 'DESTROY', KEYS[4], 'archive')
  redis.call('HDEL', lane, 'archive', 'archived')
end
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
return {epoch, found[4] or '0-0', started, last[1] and last[1][1] or '0-0'}
