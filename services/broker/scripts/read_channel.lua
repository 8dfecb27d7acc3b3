#!lua flags=no-writes
-- One channel's state at its position, in one step.
-- KEYS: lane, cells, head   Returns {epoch, seq, times, {cell, value, ...}}; epoch '' where the lane is not open.
local head = redis.call('HMGET', KEYS[3], 'seq', 'times')
return {redis.call('HGET', KEYS[1], 'epoch') or '', head[1] or '0', head[2] or '', redis.call('HGETALL', KEYS[2])}
