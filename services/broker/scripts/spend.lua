#!lua flags=allow-oom
-- Take events and bytes out of a key's allowance, which fills by its rates and holds one second of them. What is asked for
-- is given as soon as anything is there, so that a request larger than a second's worth passes, and is waited for after.
-- A share ahead goes with it, so that a process need not ask for each small request.
-- KEYS: allowance   ARGV: events/s, bytes/s (0 has no limit), events, bytes, share ahead in ms
-- Returns {ms to wait, 0, 0} where nothing was taken, else {0, events ahead, bytes ahead}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'at', 'events', 'bytes')
local passed = math.max(0, now - tonumber(found[1] or 0))
local rates, asked, left, wait = {tonumber(ARGV[1]), tonumber(ARGV[2])}, {tonumber(ARGV[3]), tonumber(ARGV[4])}, {}, 0
for i, rate in ipairs(rates) do
  left[i] = math.min(rate, tonumber(found[i + 1] or rate) + rate * passed / 1000)
  if rate > 0 and left[i] <= 0 then wait = math.max(wait, math.ceil(-left[i] * 1000 / rate) + 1) end
end
if wait > 0 then return {wait, 0, 0} end
local ahead = {}
for i, rate in ipairs(rates) do
  left[i] = left[i] - asked[i]
  ahead[i] = math.max(0, math.floor(math.min(left[i], rate * ARGV[5] / 1000)))
  left[i] = left[i] - ahead[i]
end
redis.call('HSET', KEYS[1], 'at', now, 'events', tostring(left[1]), 'bytes', tostring(left[2]))
redis.call('PEXPIRE', KEYS[1], 60000 + math.max(0, math.ceil(-1000 * math.min(left[1] / math.max(1, rates[1]), left[2] / math.max(1, rates[2])))))
return {0, ahead[1], ahead[2]}
