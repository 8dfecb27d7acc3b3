#!lua flags=allow-oom
-- The archive's acknowledgement: what lies up to a position is kept elsewhere. The group stands there too, so that
-- trimming and the stream's own tools (XINFO GROUPS) follow it; it is never read by group, since who was overtaken
-- would take entries away. Counted once: who says the same again, or does not know the last word, changes nothing.
-- KEYS: lane, events   ARGV: the position that was said last, the new one, how many events lie between
-- Returns 1, or 0 where the last word is another one.
if (redis.call('HGET', KEYS[1], 'archive') or '0-0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'archive', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'archived', ARGV[3])
redis.pcall('XGROUP', 'SETID', KEYS[2], 'archive', ARGV[2])
return 1
