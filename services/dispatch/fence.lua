-- Keeps calls out for a moment after Redis was started anew, so that each replica can tell it first what it may have lost.
--
-- KEYS: "fence": the run of Redis that was met last, and the millisecond from which on calls are admitted.
-- ARGV: milliseconds between the first replica's meeting a run and the first call.
-- Returns the milliseconds that are left of them.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = redis.call('HMGET', KEYS[1], 'run', 'until')
if fence[1] ~= run then
  fence[2] = now + ARGV[1]
  redis.call('HSET', KEYS[1], 'run', run, 'until', fence[2])
end
-- At most all of them: the clock may have been set back.
return math.max(0, math.min(fence[2] - now, tonumber(ARGV[1])))
