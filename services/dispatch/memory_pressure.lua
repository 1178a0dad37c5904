-- Whether Redis holds more than a share of `maxmemory`. Goes in front of scripts that leave something for long.
--
-- Once full (`maxmemory`, noeviction), Redis refuses a script whose first write takes memory, but no later writes: it
-- cannot stop halfway. So a script that must work even then begins with a write that takes none.
local function holds_more_than(share)
  local memory = redis.call('INFO', 'memory')
  local most = tonumber(string.match(memory, '\nmaxmemory:(%d+)'))
  return most > 0 and tonumber(string.match(memory, 'used_memory:(%d+)')) > most * share
end
