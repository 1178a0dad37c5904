-- The epoch: the second before which Redis may have admitted calls that it no longer knows of. Stands before scripts that
-- need it.
--
-- It is made where it is missing, by a first start and when Redis lost what it held, and where it is an earlier one than
-- is known, when Redis got back what it held once. Whoever knew one before makes the new one a little later than now, for
-- callers whose clocks run ahead as clocks do. One that lies further ahead was made by a clock that was wrong, and would keep
-- everybody out; it is made anew too.
local AHEAD_S = 2
local function epoch_of(key, known, now_s)
  local epoch = tonumber(redis.call('GET', key))
  if not epoch or epoch > now_s + AHEAD_S or epoch < (tonumber(known) or 0) then
    epoch = now_s + (known == '' and 0 or AHEAD_S)
    redis.call('DEL', key) -- takes no memory, so what follows may (see full.lua)
    redis.call('SET', key, epoch)
  end
  return epoch
end
