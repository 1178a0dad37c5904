-- For wrk: POSTs one body to the path of the URL, and writes what came of it as one line of JSON.
-- Arguments after `--`: a file with the body, and "fresh" when every result is to be computed for its call. No `response` callback: it would cost the load generator a call each time,
-- and wrk counts answers other than 2xx and 3xx by itself.
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = "application/json"
  if args[2] == "fresh" then
    wrk.headers["Cache-Control"] = "no-cache"
  end
  file:close()
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"duration_us":%d,"p50_us":%d,"p90_us":%d,"p99_us":%d,"max_us":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
