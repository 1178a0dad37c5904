-- Gives an owner an upload whose bytes are in the store, or only says whether it could.
--
-- KEYS: "holders:<digest>": who holds it, in bytes charged by owner; "held:<client>" and
--       "documents:<client>": what the client's owners are charged, and how many documents they hold, each document once
--       for each owner; "used": second of the last use by digest; "erasing": digests whose bytes must go;
--       "deletion:<digest>": the last deletion of these bytes (see erase.lua). "uploads:<hash of the owner>" is made
--       from the owner's name: the millisecond of the upload of each of its documents, by digest (see list.lua).
-- ARGV: the owner, the digest, the charge, the client's quotas in bytes and in documents, the share of its memory above
--       which Redis takes no more, and the last deletion seen before the bytes were stored, or nothing to only ask.
-- Returns {"held" | "fits" | "over" | "state_full" | "gone", bytes and documents that the client holds}.
local bytes, documents = tonumber(redis.call('GET', KEYS[2]) or 0), tonumber(redis.call('GET', KEYS[3]) or 0)
if ARGV[7] and (redis.call('GET', KEYS[6]) or '') ~= ARGV[7] then
  return {'gone', bytes, documents} -- deleted after they were put, or while
end
local is_new = redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0
if is_new then
  if bytes + tonumber(ARGV[3]) > tonumber(ARGV[4]) or documents + 1 > tonumber(ARGV[5]) then
    return {'over', bytes, documents}
  end
  if holds_more_than(tonumber(ARGV[6])) then
    return {'state_full', bytes, documents}
  end
end
if not ARGV[7] then
  return {'fits', bytes, documents}
end
redis.call('ZREM', KEYS[5], ARGV[2]) -- first, so that what is held already can come again when Redis is full
local time = redis.call('TIME')
if is_new then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  bytes, documents = redis.call('INCRBY', KEYS[2], ARGV[3]), redis.call('INCR', KEYS[3])
end
local uploaded = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', 'uploads:' .. redis.sha1hex(ARGV[1]), 'NX', uploaded, ARGV[2])
redis.call('ZADD', KEYS[4], time[1], ARGV[2])
return {'held', bytes, documents}
