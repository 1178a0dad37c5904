-- The epoch: the second before which Redis may have admitted calls that it no longer knows of. Stands before scripts that
-- need it.
--
-- Where it is missing, Redis lost what it held, unless it is known that nothing was lost; where it is an earlier one than is
-- known, Redis got back what it held once. The new one lies a little ahead, for callers whose clocks run ahead as clocks do.
-- One that lies further ahead was made by a clock that was wrong, and would keep everybody out; it is made anew too.
--
-- Returns the epoch, and 1 when it was made because of a loss.
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
