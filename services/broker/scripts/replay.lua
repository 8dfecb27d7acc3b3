#!lua
-- Take an entry out of quarantine and put its events on the stream once more. They are marked: the archive has them
-- already, and they were counted when they were accepted.
-- KEYS: quarantine, lane, events   ARGV: the entry's id in quarantine, then a body for each event
-- Returns 1, or 0 where the entry is there no more.
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
local bodies, bytes = {}, 0
for i = 2, #ARGV do
  bodies[#bodies + 1] = ARGV[i]
  bytes = bytes + #ARGV[i]
end
redis.call('XADD', KEYS[3], '*', 'events', '[' .. table.concat(bodies, ',') .. ']', 'n', #bodies, 'mark', 'replay')
redis.call('HINCRBY', KEYS[2], 'accepted_bytes', bytes)
return 1
