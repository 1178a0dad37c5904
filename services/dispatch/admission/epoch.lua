-- The epoch: the second before which Redis may have admitted calls that it no longer knows. Goes in front of scripts that
-- need it.
--
-- If it is missing, Redis has lost its data, unless it is known that nothing was lost. If it is earlier than the known one,
-- Redis was restored to an older state. The new epoch lies a little ahead, since some callers' clocks do too. One that
-- lies further ahead came from a wrong clock and would keep everybody out, so it is replaced too.
--
-- Returns the epoch, and 1 if it was made because of a loss.
local AHEAD_S = 2
local function epoch_of(key, known, now_s, nothing_lost)
  local epoch, lost = tonumber(redis.call('GET', key)), 0
  if epoch and epoch <= now_s + AHEAD_S and epoch >= (tonumber(known) or 0) then
    return epoch, 0
  end
  if epoch or not nothing_lost then
    epoch, lost = now_s + AHEAD_S, 1
  else
    epoch = 0
  end
  redis.call('DEL', key) -- takes no memory, so what follows may (see memory_pressure.lua)
  redis.call('SET', key, epoch)
  return epoch, lost
end
