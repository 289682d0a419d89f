-- Clicks on an ad: every one with a click id of its own, campaign parameters and cookies, behind a proxy.
dofile("summary.lua")

local agents = {
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0.0.31.105;FBBV/532011102;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.1]",
  "Mozilla/5.0 (Linux; Android 14; SM-A546E Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.122 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.1.0.44.74;]",
  "Mozilla/5.0 (Linux; Android 13; moto g84 5G) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36 Instagram 335.0.0.39.93 Android",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
}
local heads, tails = {}, {}
local n = 0

-- args: the path, beginning with / and without a query
function init(args)
  math.randomseed(tonumber(args[2]))
  local run = string.format("%06x%06x", math.random(0, 0xffffff), math.random(0, 0xffffff))
  local common = "&utm_source=facebook&utm_medium=paid_social&utm_campaign=black-friday-2025"
    .. "&utm_content=video%2003&utm_term=lookalike%201%25&ad_id=120210987654321 HTTP/1.1\r\n"
    .. "Host: go.example.com\r\nX-Forwarded-Proto: https\r\nAccept-Language: pt-BR,pt;q=0.9,en;q=0.5\r\n"
    .. "Accept: text/html,application/xhtml+xml\r\nReferer: https://l.facebook.com/\r\n"
  for i = 1, 64 do
    heads[i] = "GET " .. args[1] .. "?fbclid=IwZXh0bgNhZW0BMABhZGlkAasT" .. run
    local cookie = ""
    -- Three of four visitors come for the first time.
    if i % 4 == 0 then
      cookie = "Cookie: _fbp=fb.1.17612" .. math.random(10000000, 99999999) .. "." .. math.random(100000000, 999999999) .. "; lang=pt\r\n"
    end
    tails[i] = "_aem_Q2xpY2tJZFdpdGhBUmVhbGlzdGljTGVuZ3RoMDEyMzQ1Njc4OQ" .. common
      .. "User-Agent: " .. agents[i % 4 + 1] .. "\r\n"
      .. "X-Forwarded-For: 177.45." .. math.random(0, 255) .. "." .. math.random(1, 254) .. "\r\n"
      .. cookie .. "\r\n"
  end
end

function request()
  n = n + 1
  local i = n % 64 + 1
  return heads[i] .. n .. tails[i]
end
