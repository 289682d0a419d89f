const AGENT =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0.0.31.105]";

/** A click as it goes over the wire, with a click id of its own; what `go.lua` sends, for the constant-rate load. */
export function clickText(path: string, run: string, n: number): string {
  const cookie =
    n % 4 === 0 ? `Cookie: _fbp=fb.1.1761200000000.${100_000_000 + (n % 900_000_000)}; lang=pt\r\n` : "";
  return `GET ${path}?fbclid=IwZXh0bgNhZW0BMABhZGlkAasT${run}${n}_aem_Q2xpY2tJZFdpdGhBUmVhbGlzdGljTGVuZ3RoMDEyMzQ1Njc4OQ&utm_source=facebook&utm_medium=paid_social&utm_campaign=black-friday-2025&utm_content=video%2003&utm_term=lookalike%201%25&ad_id=120210987654321 HTTP/1.1\r
Host: go.example.com\r
X-Forwarded-Proto: https\r
X-Forwarded-For: 177.45.${n % 256}.${(n % 250) + 1}\r
Accept-Language: pt-BR,pt;q=0.9,en;q=0.5\r
Accept: text/html,application/xhtml+xml\r
Referer: https://l.facebook.com/\r
User-Agent: ${AGENT}\r
${cookie}\r
`;
}
