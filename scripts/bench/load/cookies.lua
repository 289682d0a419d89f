-- The bridge page's beacons, for sessions whose tokens stand in a file, one a line; each in turn, from the start.
dofile("summary.lua")

local texts = {}
local n = 0

-- args: the path, the file of tokens
function init(args)
  local i = 0
  for token in io.lines(args[2]) do
    i = i + 1
    local body = '{"tracking_token":"' .. token .. '","_fbp":"fb.1.1761200' .. string.format("%06d", i % 1000000)
      .. '.' .. (100000000 + i) .. '","_fbi":"2804:14d:7e89:4f5a::' .. string.format("%x", i % 65535 + 1) .. '.AQYBAQAB"}'
    texts[i] = "POST " .. args[1] .. " HTTP/1.1\r\nHost: go.example.com\r\nX-Forwarded-Proto: https\r\n"
      .. "X-Forwarded-For: 177.45.10.20\r\nSec-Fetch-Site: same-origin\r\nContent-Type: text/plain;charset=UTF-8\r\n"
      .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
  end
end

function request()
  n = n % #texts + 1
  return texts[n]
end
