-- Admits one call in one round trip: consumes the nonce, takes from the buckets, says which documents may be read and
-- notes that they were used.
--
-- KEYS: the nonce, the epoch, then the buckets, then "holders:<digest>" of each document (see hold.lua).
-- ARGV: seconds to keep the nonce, the known epoch or "" (see epoch.lua), the second at which the call was signed, the
--       share of its memory up to which Redis takes the call, the number of buckets, the owner, then for each bucket the
--       milliseconds between two calls and the milliseconds that a full bucket covers (its burst times the former).
-- Returns {1 if the nonce is new}, and then the epoch and the milliseconds to wait (0: admitted), then 1 or 0 for each
-- document. If there is something to wait for, instead of the documents the number of the bucket that takes longest, or 0
-- if the call was signed no later than the epoch.
--
-- The buckets are token buckets in the form of the generic cell rate algorithm (ITU-T I.371): a key holds the moment at
-- which its bucket would be full again, so one number is enough, and an idle bucket needs no key.
local FIRST_BUCKET, FIRST_RATE = 3, 7
local fresh = redis.pcall('SET', KEYS[1], '', 'NX', 'EX', ARGV[1])
if type(fresh) == 'table' and fresh.err then
  if not holds_more_than(tonumber(ARGV[4])) then
    redis.call('DEL', 'nothing') -- takes no memory, so what follows may (see memory_pressure.lua)
  end
  fresh = redis.call('SET', KEYS[1], '', 'NX', 'EX', ARGV[1])
end
if not fresh then
  return {0}
end

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local epoch = epoch_of(KEYS[2], ARGV[2], tonumber(time[1]), false)
if tonumber(ARGV[3]) <= epoch then
  return {1, epoch, math.ceil((epoch + 1) * 1000 - now), 0}
end

local buckets = tonumber(ARGV[5])
local wait, longest, full = 0, 0, {}
for i = 1, buckets do
  local step, span = tonumber(ARGV[FIRST_RATE - 2 + 2 * i]), tonumber(ARGV[FIRST_RATE - 1 + 2 * i])
  full[i] = math.max(tonumber(redis.call('GET', KEYS[FIRST_BUCKET - 1 + i]) or 0), now) + step
  local own = full[i] - now - span
  if own > wait then
    wait, longest = own, i
  end
end
if wait > 0 then
  return {1, epoch, math.ceil(wait), longest}
end
for i = 1, buckets do
  -- At least 1 ms: a step below the precision of a double would leave none, which Redis refuses.
  local left = math.max(1, math.ceil(full[i] - now))
  redis.call('SET', KEYS[FIRST_BUCKET - 1 + i], string.format('%.3f', full[i]), 'PX', left)
end

local answer = {1, epoch, 0}
local seconds = tonumber(time[1])
for i = FIRST_BUCKET + buckets, #KEYS do
  local held = redis.call('HEXISTS', KEYS[i], ARGV[6])
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
