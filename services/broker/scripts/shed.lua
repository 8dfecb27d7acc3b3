#!lua flags=allow-oom
-- A stream that grew over its cap, since a group lags: drop what is processed and waits for that group only.
-- An event that is not processed is never dropped. What no group needs any more is dropped and not counted; what one
-- still needed is counted, so that it can be told.
-- KEYS: lane, events   ARGV: cap in bytes
-- Returns how many events were dropped that a group had not read.
local lane, events = KEYS[1], KEYS[2]
if (redis.call('MEMORY', 'USAGE', events) or 0) <= tonumber(ARGV[1]) then return 0 end
local checkpoint = redis.call('HGET', lane, 'checkpoint') or '0-0'

local function older(a, b)
  local a_ms, a_n = string.match(a, '^(%d+)-(%d+)$')
  local b_ms, b_n = string.match(b, '^(%d+)-(%d+)$')
  a_ms, a_n, b_ms, b_n = tonumber(a_ms), tonumber(a_n), tonumber(b_ms), tonumber(b_n)
  return a_ms < b_ms or (a_ms == b_ms and a_n < b_n)
end
local read = checkpoint
for _, found in ipairs(redis.call('XINFO', 'GROUPS', events)) do
  local info = {}
  for i = 1, #found, 2 do info[found[i]] = found[i + 1] end
  if older(info['last-delivered-id'], read) then read = info['last-delivered-id'] end
end

local dropped = 0
while true do
  local entries = redis.call('XRANGE', events, '-', checkpoint, 'COUNT', 50)
  if #entries == 0 then break end
  local ids = {}
  for i, entry in ipairs(entries) do
    ids[i] = entry[1]
    local fields = {}
    for f = 1, #entry[2], 2 do fields[entry[2][f]] = entry[2][f + 1] end
    if not fields['mark'] and older(read, entry[1]) then dropped = dropped + tonumber(fields['n'] or 0) end
  end
  redis.call('XDEL', events, unpack(ids))
end
if dropped > 0 then redis.call('HINCRBY', lane, 'shed', dropped) end
return dropped
