-- Gives an owner an upload whose bytes are in the store.
--
-- KEYS: "holders:<digest>": who holds it, its size in bytes by owner; "held:<client>": bytes that the client's owners
--       hold, each document once for each owner; "used": second of the last use by digest; "erasing": digests whose bytes
--       must go; "deletion:<digest>": the last deletion of these bytes (see erase.lua).
-- ARGV: the owner, the digest, the size, the client's quota, and the last deletion that was seen before the bytes were put.
-- Returns {"held" | "full" | "gone", bytes that the client holds}.
local held = tonumber(redis.call('GET', KEYS[2]) or 0)
if (redis.call('GET', KEYS[5]) or '') ~= ARGV[5] then
  return {'gone', held} -- deleted after they were put, or while
end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  if held + tonumber(ARGV[3]) > tonumber(ARGV[4]) then
    return {'full', held}
  end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  held = redis.call('INCRBY', KEYS[2], ARGV[3])
end
redis.call('ZADD', KEYS[3], redis.call('TIME')[1], ARGV[2])
redis.call('ZREM', KEYS[4], ARGV[2])
return {'held', held}
