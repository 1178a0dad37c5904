-- Restores the record of a call with side effects, which Redis may have lost. Works even if Redis is full (see
-- memory_pressure.lua).
--
-- KEYS: the record.
-- ARGV: token of the call, digest of its arguments, milliseconds of a lease (0 if the call has ended), second since 1970
--       until which the record is kept and, once the call has an answer, what stands for it.
-- Returns 1, or 0 if another call holds the key.
local token = redis.call('HGET', KEYS[1], 'token')
if token and token ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('EXPIREAT', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[1], 'args', ARGV[2], 'token', ARGV[1], 'until', now + ARGV[3])
if ARGV[5] then
  redis.call('HSET', KEYS[1], 'done', ARGV[5])
end
return redis.call('EXPIREAT', KEYS[1], ARGV[4])
