-- Opens the record of an idempotency key, or says what stands in it.
--
-- KEYS: the record.
-- ARGV: digest of the arguments, token of this call, milliseconds of a lease, seconds to keep the record, and 1 when a
--       call that was interrupted may be made again (the action has no side effects), else 0.
-- Returns one of {'new'}, {'running'}, {'other'} (other arguments), {'interrupted'}, {'done', stored}.
local record = redis.call('HMGET', KEYS[1], 'args', 'until', 'done')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if record[1] and record[1] ~= ARGV[1] then
  return {'other'}
end
if record[3] then
  return {'done', record[3]}
end
if record[1] then
  if tonumber(record[2]) > now then
    return {'running'}
  end
  if ARGV[5] == '0' then
    return {'interrupted'}
  end
end
redis.call('HSET', KEYS[1], 'args', ARGV[1], 'token', ARGV[2], 'until', now + ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {'new'}
