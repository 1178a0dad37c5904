-- Starts deleting the bytes of an upload that nobody holds. Works even if Redis is full.
--
-- KEYS: "holders:<digest>", "erasing" (see hold.lua), "deletion:<digest>".
-- ARGV: the digest, a token of this deletion, seconds that it may take.
-- Returns 1 if the caller must delete them now, 0 if somebody holds them or is deleting them.
--
-- "deletion:<digest>" is "now:<token>" while bytes are deleted, then "done:<token>" for longer than an upload takes. An
-- upload of the same bytes meanwhile sees that the value has changed, and stores them again (hold.lua). A deletion that
-- was cut off leaves its digest in "erasing", and is repeated.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
if string.sub(redis.call('GET', KEYS[3]) or '', 1, 4) == 'now:' then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1]) -- takes no memory, so what follows may (see memory_pressure.lua)
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
redis.call('SET', KEYS[3], 'now:' .. ARGV[2], 'EX', ARGV[3])
return 1
