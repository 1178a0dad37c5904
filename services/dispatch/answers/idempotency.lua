-- Opens the record of an idempotency key, or says what is in it.
--
-- KEYS: the record, then the budgets of the owner and of the whole client: what a day's records of theirs take.
-- ARGV: digest of the arguments, token of this call, milliseconds of a lease, seconds to keep the record, 1 if an
--       interrupted call may be made again (the action has no side effects) and 0 if not, the least that a record takes,
--       the two budgets' limits, and the share of its memory above which Redis takes no new record.
-- Returns one of {'new'}, {'running'}, {'other'} (other arguments), {'interrupted'}, {'done', stored}, {'state_full'}, or
-- {'full', the milliseconds until the budget is empty again}.
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
else
  for i = 2, 3 do
    if tonumber(redis.call('GET', KEYS[i]) or 0) + ARGV[6] > tonumber(ARGV[5 + i]) then
      return {'full', redis.call('PTTL', KEYS[i])}
    end
  end
  if holds_more_than(tonumber(ARGV[9])) then
    return {'state_full'}
  end
  for i = 2, 3 do
    redis.call('INCRBY', KEYS[i], ARGV[6])
    if redis.call('TTL', KEYS[i]) < 0 then
      redis.call('EXPIRE', KEYS[i], ARGV[4])
    end
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[4]) -- first, so that a record goes on when Redis is full (see memory_pressure.lua)
redis.call('HSET', KEYS[1], 'args', ARGV[1], 'token', ARGV[2], 'until', now + ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {'new'}
