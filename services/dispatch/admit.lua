-- Admits one call in one round trip: consumes the nonce, takes from the buckets, says which documents may be read and
-- notes that they were used.
--
-- KEYS: the nonce, then the buckets, then "holders:<digest>" of each document (see hold.lua).
-- ARGV: seconds to keep the nonce, number of buckets, the owner, then for each bucket the milliseconds between two calls
--       and the milliseconds that a full bucket covers (its burst times the former).
-- Returns {1 if the nonce is new, milliseconds to wait (0: admitted), then 1 or 0 for each document}; where there is
-- something to wait for, the number of the bucket that takes longest instead of the documents.
--
-- The buckets are token buckets in the form of the generic cell rate algorithm (ITU-T I.371): a key holds the moment at
-- which its bucket would be full again, so one number says it all and an idle bucket is no key.
if not redis.call('SET', KEYS[1], '', 'NX', 'EX', ARGV[1]) then
  return {0, 0}
end

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local buckets = tonumber(ARGV[2])
local wait, longest, full = 0, 0, {}
for i = 1, buckets do
  local step, span = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  full[i] = math.max(tonumber(redis.call('GET', KEYS[1 + i]) or 0), now) + step
  local own = full[i] - now - span
  if own > wait then
    wait, longest = own, i
  end
end
if wait > 0 then
  return {1, math.ceil(wait), longest}
end
for i = 1, buckets do
  -- At least 1 ms: a step below the precision of a double would leave none, which Redis refuses.
  redis.call('SET', KEYS[1 + i], string.format('%.3f', full[i]), 'PX', math.max(1, math.ceil(full[i] - now)))
end

local answer = {1, 0}
local seconds = tonumber(time[1])
for i = buckets + 2, #KEYS do
  local held = redis.call('HEXISTS', KEYS[i], ARGV[3])
  answer[#answer + 1] = held
  if held == 1 then
    -- Once an hour is often enough for a retention of days, and costs a busy document one write an hour.
    local digest = string.sub(KEYS[i], #'holders:' + 1)
    if seconds - tonumber(redis.call('ZSCORE', 'used', digest) or 0) >= 3600 then
      redis.call('ZADD', 'used', seconds, digest)
    end
  end
end
return answer
