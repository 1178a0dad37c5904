-- Lists an owner's uploads, the newest first.
--
-- KEYS: "used" (see hold.lua). "uploads:<hash of the owner>" and "holders:<digest>" are made from the names.
-- ARGV: the owner, how many to list, and the last one of the page before, as it was listed: its milliseconds and its
--       digest; both empty for the first page.
-- Returns for each: the digest, the milliseconds of its upload, its charge in bytes, the second of its last use.
--
-- A hash, because an owner's name may be long, and here it stands once more. Whatever the hash, only what the owner
-- holds is listed.
local uploads = 'uploads:' .. redis.sha1hex(ARGV[1])
local first = 0
if ARGV[4] ~= '' then
  local rank = redis.call('ZREVRANK', uploads, ARGV[4])
  -- One that is gone by now is looked for by its time.
  first = rank and rank + 1 or redis.call('ZCOUNT', uploads, ARGV[3], '+inf')
end
local found = redis.call('ZREVRANGE', uploads, first, first + ARGV[2] - 1, 'WITHSCORES')
local listed = {}
for i = 1, #found, 2 do
  local charge = redis.call('HGET', 'holders:' .. found[i], ARGV[1])
  if charge then
    listed[#listed + 1] = {found[i], found[i + 1], charge, redis.call('ZSCORE', KEYS[1], found[i]) or '0'}
  end
end
return listed
