-- Sends the requests of a file, one a line: method, path and body, parted by tabs.
-- Arguments: the file, and "random" or "once" (each request one time, in order).

local requests = {}
local position = 0
local once = false

function init(arguments)
   once = arguments[2] == "once"
   math.randomseed(1)
   for line in io.lines(arguments[1]) do
      local method, path, body = line:match("^(%S+)\t(%S+)\t(.*)$")
      local headers = {["Host"] = "127.0.0.1"}
      if body == "" then
         body = nil
      else
         headers["Content-Type"] = "application/json"
      end
      requests[#requests + 1] = wrk.format(method, path, headers, body)
   end
end

function request()
   if once then
      position = math.min(position + 1, #requests)
      if position == #requests then
         wrk.thread:stop()  -- there is nothing left to send, however long the run was to be
      end
      return requests[position]
   end
   return requests[math.random(#requests)]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      "figures %d %d %d %d %d %d\n",
      summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99)
   ))
end
