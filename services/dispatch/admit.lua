-- Admits one call in one round trip: consumes the nonce, takes from the buckets, and says which documents may be read.
--
-- KEYS: the nonce, then the buckets, then the owners' sets of the documents.
-- ARGV: seconds to keep the nonce, number of buckets, the owner, then for each bucket the milliseconds between two calls
--       and the milliseconds that a full bucket covers (its burst times the former).
-- Returns {1 if the nonce is new, milliseconds to wait (0: admitted), then 1 or 0 for each document}.
--
-- The buckets are token buckets in the form of the generic cell rate algorithm (ITU-T I.371): a key holds the moment at
-- which its bucket would be full again, so one number says it all and an idle bucket is no key.
if not redis.call('SET', KEYS[1], '', 'NX', 'EX', ARGV[1]) then
  return {0, 0}
end

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local buckets = tonumber(ARGV[2])
local wait, full = 0, {}
for i = 1, buckets do
  local step, span = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  full[i] = math.max(tonumber(redis.call('GET', KEYS[1 + i]) or 0), now) + step
  wait = math.max(wait, full[i] - now - span)
end
if wait > 0 then
  return {1, math.ceil(wait)}
end
for i = 1, buckets do
  -- At least 1 ms: a step below the precision of a double would leave none, which Redis refuses.
  redis.call('SET', KEYS[1 + i], string.format('%.3f', full[i]), 'PX', math.max(1, math.ceil(full[i] - now)))
end

local answer = {1, 0}
for i = buckets + 2, #KEYS do
  answer[#answer + 1] = redis.call('SISMEMBER', KEYS[i], ARGV[3])
end
return answer
