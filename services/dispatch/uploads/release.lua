-- Takes an upload from one owner, or from all if nobody has used it since a given time. Works even if Redis is full.
--
-- KEYS: "holders:<digest>", "used", "erasing" (see hold.lua). "held:<client>", "documents:<client>" and
--       "uploads:<hash of the owner>" are made from the owners' names.
-- ARGV: the digest; the owner, or "" for all; for all: the second since which it must not have been used.
-- Returns how many owners lost it.
local owners = {}
if ARGV[2] ~= '' then
  owners = {ARGV[2], redis.call('HGET', KEYS[1], ARGV[2])}
elseif tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0) < tonumber(ARGV[3]) then
  owners = redis.call('HGETALL', KEYS[1])
end
local released = 0
for i = 1, #owners, 2 do
  local charge = owners[i + 1]
  if charge then
    released = released + redis.call('HDEL', KEYS[1], owners[i])
    redis.call('ZREM', 'uploads:' .. redis.sha1hex(owners[i]), ARGV[1])
    local client = string.match(owners[i], '^[^\31]*')
    for kind, amount in pairs({held = charge, documents = 1}) do
      if redis.call('DECRBY', kind .. ':' .. client, amount) <= 0 then
        redis.call('DEL', kind .. ':' .. client)
      end
    end
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 and (released > 0 or ARGV[2] == '') then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZADD', KEYS[3], redis.call('TIME')[1], ARGV[1])
end
return released
