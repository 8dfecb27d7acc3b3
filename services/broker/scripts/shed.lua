#!lua flags=allow-oom
-- A stream that grew over its cap, since a group lags: drop what is processed and waits for that group only.
-- An event that is not processed is never dropped. What goes is counted, so that it can be told.
-- KEYS: lane, events   ARGV: cap in bytes
-- Returns how many events were dropped.
local lane, events = KEYS[1], KEYS[2]
if (redis.call('MEMORY', 'USAGE', events) or 0) <= tonumber(ARGV[1]) then return 0 end
local checkpoint = redis.call('HGET', lane, 'checkpoint') or '0-0'
local dropped = 0
while true do
  local entries = redis.call('XRANGE', events, '-', checkpoint, 'COUNT', 500)
  if #entries == 0 then break end
  local ids = {}
  for i, entry in ipairs(entries) do
    ids[i] = entry[1]
    for f = 1, #entry[2], 2 do
      if entry[2][f] == 'n' then dropped = dropped + tonumber(entry[2][f + 1]) end
    end
  end
  redis.call('XDEL', events, unpack(ids))
end
if dropped > 0 then redis.call('HINCRBY', lane, 'shed', dropped) end
return dropped
