-- Keeps calls out for a moment after Redis has restarted, so that each replica can first tell it what it may have lost.
-- Works even if Redis is full.
--
-- KEYS: "fence": the run of Redis that was last seen, and the millisecond from which calls are admitted; the epoch.
-- ARGV: milliseconds between the first replica's contact with a run and the first call, the known epoch or "" (see
--       epoch.lua), and 1 if no call was ever made, so that none can be lost.
-- Returns {how many of these milliseconds are left, the epoch, 1 if it was made because of a loss}.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = redis.call('HMGET', KEYS[1], 'run', 'until')
if fence[1] ~= run then
  fence[2] = now + ARGV[1]
  redis.call('HDEL', KEYS[1], 'until') -- takes no memory, so what follows may (see memory_pressure.lua)
  redis.call('HSET', KEYS[1], 'run', run, 'until', fence[2])
end
-- At most all of them: the clock may have been set back.
local left = math.max(0, math.min(fence[2] - now, tonumber(ARGV[1])))
-- A fence without an epoch was made by an earlier version.
local epoch, lost = epoch_of(KEYS[2], ARGV[2], tonumber(time[1]), ARGV[3] == '1' or fence[1])
return {left, epoch, lost}
