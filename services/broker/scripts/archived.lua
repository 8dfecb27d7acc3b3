#!lua flags=allow-oom
-- The archive's acknowledgement: what lies up to a position is kept elsewhere. The group stands there too, so that
-- trimming and the stream's own tools (XINFO GROUPS) follow it; it is never read by group, since who was overtaken
-- would take entries away. Counted once: who says the same again, or does not know the last word, changes nothing.
-- KEYS: lane, events   ARGV: the position that was said last, the new one, how many events lie between
-- Returns 1, or 0 where the last word is another one.
if (redis.call('HGET', KEYS[1], 'archive') or '0-0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'archive', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'archived', ARGV[3])
if redis.pcall('XGROUP', 'SETID', KEYS[2], 'archive', ARGV[2]).err then return 1 end

-- What nobody needs any more goes at once: the next commit may be long in coming.
local function parts(id)
  local milliseconds, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(milliseconds), tonumber(number)
end
local keep = redis.call('HGET', KEYS[1], 'checkpoint') or '0-0'
for _, found in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local info = {}
  for i = 1, #found, 2 do info[found[i]] = found[i + 1] end
  local needed = info['last-delivered-id']
  if info['pending'] > 0 then needed = redis.call('XPENDING', KEYS[2], info['name'])[2] end
  local needed_ms, needed_n = parts(needed)
  local keep_ms, keep_n = parts(keep)
  if needed_ms < keep_ms or (needed_ms == keep_ms and needed_n < keep_n) then keep = needed end
end
redis.call('XTRIM', KEYS[2], 'MINID', '~', keep)
return 1
