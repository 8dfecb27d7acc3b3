#!lua
-- Accept events into a lane's stream: dedupe by id and append in one step, so that a resend after a
-- lost reply finds its ids. Refuses before it writes anything where the lane's backlog is over its cap.
-- KEYS: lane, events, ids:new, ids:old, source
-- ARGV: now_ms, ids a half window holds, half window ms, backlog cap bytes, the source's least lag in ms or '',
--       the mark of events that are no client's or '', bytes that an entry holds at most, then id and body in turn
-- Returns {accepted, duplicates}, or {-1, backlog bytes} where refused.
local lane, events, fresh, old, source = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local now, half, half_ms, cap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local mark, entry_bytes = ARGV[6], tonumber(ARGV[7])

local counts = redis.call('HMGET', lane, 'accepted_bytes', 'processed_bytes', 'ids_since')
local behind = tonumber(counts[1] or 0) - tonumber(counts[2] or 0)
if behind > cap then return {-1, behind} end

if redis.call('SCARD', fresh) >= half or now - tonumber(counts[3] or 0) > half_ms then
  redis.call('DEL', old)
  if redis.call('EXISTS', fresh) == 1 then redis.call('RENAME', fresh, old) end
  redis.call('HSET', lane, 'ids_since', now)
end

-- Which of the ids are known, asked in bulk: a question for each would be most of what an event costs here. Lists go in
-- chunks, since unpack is bounded by Lua's stack.
local known, asked = {}, {}
local function ask()
  if #asked == 0 then return end
  for _, ids in ipairs({old, fresh}) do
    for i, found in ipairs(redis.call('SMISMEMBER', ids, unpack(asked))) do
      if found == 1 then known[asked[i]] = true end
    end
  end
  asked = {}
end
for i = 8, #ARGV, 2 do
  if ARGV[i] ~= '' then asked[#asked + 1] = ARGV[i] end
  if #asked == 4000 then ask() end
end
ask()

-- Who reads entries asks for a number of them: what one holds bounds every reply. A larger event has one of its own.
local accepted, bytes, duplicates = 0, 0, 0
local bodies, held, given = {}, 0, {}
local function append()
  if #bodies == 0 then return end
  local list = '[' .. table.concat(bodies, ',') .. ']'
  if mark == '' then redis.call('XADD', events, '*', 'events', list, 'n', #bodies)
  else redis.call('XADD', events, '*', 'events', list, 'n', #bodies, 'mark', mark) end
  bodies, held = {}, 0
end
for i = 8, #ARGV, 2 do
  local id, body = ARGV[i], ARGV[i + 1]
  if known[id] then
    duplicates = duplicates + 1
  else
    if id ~= '' then known[id], given[#given + 1] = true, id end
    if held + #body > entry_bytes then append() end
    bodies[#bodies + 1] = body
    held = held + #body
    accepted, bytes = accepted + 1, bytes + #body
  end
end
append()
for from = 1, #given, 4000 do redis.call('SADD', fresh, unpack(given, from, math.min(from + 3999, #given))) end

if accepted > 0 then redis.call('HINCRBY', lane, 'accepted_bytes', bytes) end
-- Marked entries are neither events of the feed nor a sign of its source's life.
if mark ~= '' then return {accepted, duplicates} end
if accepted > 0 then redis.call('HINCRBY', lane, 'accepted', accepted) end
if duplicates > 0 then redis.call('HINCRBY', lane, 'duplicates', duplicates) end
redis.call('HSET', source, 'alive_at', now)
if ARGV[5] ~= '' then redis.call('HSET', source, 'lag_ms', ARGV[5]) end
if accepted > 0 then redis.call('HDEL', source, 'refused_run', 'refused_from') end
return {accepted, duplicates}
