#!lua flags=allow-oom
-- Write a small value of the system's own also when the broker is full: what it says of itself must not stop then.
-- KEYS: key   ARGV: value, or hash field and value
if #ARGV == 1 then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
