#!lua
-- Accept events into a lane's stream: dedupe by id and append in one step, so that a resend after a
-- lost reply finds its ids. Refuses before it writes anything where the lane's backlog is over its cap.
-- KEYS: lane, events, ids:new, ids:old, source
-- ARGV: now_ms, ids a half window holds, half window ms, backlog cap bytes, the source's least lag in ms or '',
--       the mark of events that are no client's or '', then id and body in turn
-- Returns {accepted, duplicates}, or {-1, backlog bytes} where refused.
local lane, events, fresh, old, source = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local now, half, half_ms, cap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local mark = ARGV[6]

local counts = redis.call('HMGET', lane, 'accepted_bytes', 'processed_bytes', 'ids_since')
local behind = tonumber(counts[1] or 0) - tonumber(counts[2] or 0)
if behind > cap then return {-1, behind} end

if redis.call('SCARD', fresh) >= half or now - tonumber(counts[3] or 0) > half_ms then
  redis.call('DEL', old)
  if redis.call('EXISTS', fresh) == 1 then redis.call('RENAME', fresh, old) end
  redis.call('HSET', lane, 'ids_since', now)
end

local bodies, bytes, duplicates = {}, 0, 0
for i = 7, #ARGV, 2 do
  local id, body = ARGV[i], ARGV[i + 1]
  if id ~= '' and (redis.call('SISMEMBER', old, id) == 1 or redis.call('SADD', fresh, id) == 0) then
    duplicates = duplicates + 1
  else
    bodies[#bodies + 1] = body
    bytes = bytes + #body
  end
end

local list = '[' .. table.concat(bodies, ',') .. ']'
if #bodies > 0 then redis.call('HINCRBY', lane, 'accepted_bytes', bytes) end
-- A marked entry is neither an event of the feed nor a sign of its source's life.
if mark ~= '' then
  if #bodies > 0 then redis.call('XADD', events, '*', 'events', list, 'n', #bodies, 'mark', mark) end
  return {#bodies, duplicates}
end
if #bodies > 0 then
  redis.call('XADD', events, '*', 'events', list, 'n', #bodies)
  redis.call('HINCRBY', lane, 'accepted', #bodies)
end
if duplicates > 0 then redis.call('HINCRBY', lane, 'duplicates', duplicates) end
redis.call('HSET', source, 'alive_at', now)
if ARGV[5] ~= '' then redis.call('HSET', source, 'lag_ms', ARGV[5]) end
if #bodies > 0 then redis.call('HDEL', source, 'refused_run', 'refused_from') end
return {#bodies, duplicates}
