#!lua flags=allow-oom
-- One commit of a lane: state, seq, delta, checkpoint and acknowledgement move together or not at all.
-- Everything is checked before the first write, since a script is atomic but not rolled back.
-- A writer that gets on keeps its lane: the lease is renewed with it.
-- KEYS: lease, lane, events, quarantine, channels, leader, then cells, head and deltas of each channel, also of those gone
-- ARGV: lease, its ttl_ms, epoch, checkpoint before, checkpoint after
--       counts: processed, processed_bytes, too_late, filtered
--       how many the quarantine holds; n quarantined, bodies...; n channels, then for each:
--       name, signature, seq before, data, its times, times of the whole state, trim below, n set, cell value ..., n drop, cells...
--       at last: a fresh epoch or '', n channels that are gone, their names (a key is forgotten, see lane.py)
-- Returns 'ok', 'fenced' (lease lost), 'moved' (epoch, checkpoint or a seq is not the expected one).
-- A lease that ran out is still its holder's until another takes the lane: a machine that gives nobody enough time would
-- otherwise take lanes from workers that nobody relieves.
local function leads(mine) return (redis.call('GET', KEYS[1]) or redis.call('GET', KEYS[6])) == mine end
local at = 0
local function take() at = at + 1; return ARGV[at] end
local function take_list()
  local n = tonumber(take())
  local first = at + 1
  at = at + n
  return first, at
end
-- unpack is bounded by Lua's stack: long lists go in chunks (even, so that pairs stay together).
local function call_list(first, last, ...)
  for from = first, last, 4000 do
    local arguments = {...}
    for i = from, math.min(from + 3999, last) do arguments[#arguments + 1] = ARGV[i] end
    redis.call(unpack(arguments))
  end
end

local lease, ttl_ms, epoch, before, after = take(), take(), take(), take(), take()
if not leads(lease) then return 'fenced' end
local found = redis.call('HMGET', KEYS[2], 'epoch', 'checkpoint')
if found[1] ~= epoch or (found[2] or '0-0') ~= before then return 'moved' end

local processed, processed_bytes, too_late, filtered = take(), take(), take(), take()
local poison_held = take()
local poison_first, poison_last = take_list()
local channels = {}
for i = 1, tonumber(take()) do
  local channel = {key = 4 + 3 * i, name = take(), signature = take(), seq = tonumber(take())}
  channel.data, channel.times, channel.overall, channel.trim = take(), take(), take(), take()
  channel.set_first, channel.set_last = take_list()
  channel.drop_first, channel.drop_last = take_list()
  if tonumber(redis.call('HGET', KEYS[channel.key + 1], 'seq') or 0) ~= channel.seq then return 'moved' end
  channels[i] = channel
end
local fresh = take()
local gone_first, gone_last = take_list()

for _, channel in ipairs(channels) do
  local cells, head, deltas = KEYS[channel.key], KEYS[channel.key + 1], KEYS[channel.key + 2]
  call_list(channel.drop_first, channel.drop_last, 'HDEL', cells)
  call_list(channel.set_first, channel.set_last, 'HSET', cells)
  if channel.data ~= '' then
    local seq = channel.seq + 1
    redis.call('XADD', deltas, seq .. '-0', 'epoch', epoch, 'data', channel.data, 'times', channel.times, 'upto', after)
    if channel.trim ~= '0' then redis.call('XTRIM', deltas, 'MINID', '~', channel.trim .. '-0') end
    redis.call('HSET', head, 'seq', seq, 'times', channel.overall)
  end
  if channel.seq == 0 then redis.call('HSET', KEYS[5], channel.name, channel.signature) end
end
for i = poison_first, poison_last do
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', poison_held, '*', 'entry', ARGV[i])
end
for i = gone_first, gone_last do
  local key = 7 + 3 * (#channels + i - gone_first)
  redis.call('DEL', KEYS[key], KEYS[key + 1], KEYS[key + 2])
  redis.call('HDEL', KEYS[5], ARGV[i])
end
if fresh ~= '' then redis.call('HSET', KEYS[2], 'epoch', fresh) end
redis.call('SET', KEYS[1], lease, 'PX', ttl_ms)
redis.call('HSET', KEYS[2], 'checkpoint', after)
redis.call('HINCRBY', KEYS[2], 'processed', processed)
redis.call('HINCRBY', KEYS[2], 'processed_bytes', processed_bytes)
if too_late ~= '0' then redis.call('HINCRBY', KEYS[2], 'too_late', too_late) end
if filtered ~= '0' then redis.call('HINCRBY', KEYS[2], 'filtered', filtered) end
if poison_last >= poison_first then redis.call('HINCRBY', KEYS[2], 'quarantined', poison_last - poison_first + 1) end

-- The acknowledgement: the processor's group stands where the checkpoint stands, so that the stream's own tools
-- (XINFO GROUPS) tell the backlog. It is never read by group: a worker that lost its lane would take entries away.
redis.pcall('XGROUP', 'SETID', KEYS[3], 'processor', after)

-- Trimming follows the slowest group: what one was given and has not acknowledged, or was not given yet, stays.
local function parts(id)
  local milliseconds, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(milliseconds), tonumber(number)
end
local function older(a, b)
  local a_ms, a_n = parts(a)
  local b_ms, b_n = parts(b)
  return a_ms < b_ms or (a_ms == b_ms and a_n < b_n)
end
local keep = after
for _, found in ipairs(redis.call('XINFO', 'GROUPS', KEYS[3])) do
  local info = {}
  for i = 1, #found, 2 do info[found[i]] = found[i + 1] end
  local needed = info['last-delivered-id']
  if info['pending'] > 0 then needed = redis.call('XPENDING', KEYS[3], info['name'])[2] end
  if older(needed, keep) then keep = needed end
end
redis.call('XTRIM', KEYS[3], 'MINID', '~', keep)
return 'ok'
