-- Whether Redis holds more than a share of what it may. Stands before scripts that leave something behind for long.
--
-- Redis refuses a script's first write that takes memory once it is full (`maxmemory`, noeviction), but not those that
-- follow a write: it cannot stop in the middle. So what must go on then begins with a write that takes none.
local function holds_more_than(share)
  local memory = redis.call('INFO', 'memory')
  local most = tonumber(string.match(memory, '\nmaxmemory:(%d+)'))
  return most > 0 and tonumber(string.match(memory, 'used_memory:(%d+)')) > most * share
end
