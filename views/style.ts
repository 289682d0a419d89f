/**
 * The visitors' pages' whole style: small, system fonts, light and dark, nothing that moves after the first paint. The card
 * hangs from the top: were it centred, what a slow phone paints of half a page would move when the rest has come. A
 * long name is cut, so that the button is seen without scrolling on the smallest phone and on one held sideways;
 * its dots come after a line that is centred without them, and have room beside it. The button's border is seen where
 * the visitor's own colours take all backgrounds away. A phone whose pages are zoomed to double is under 280 pixels wide:
 * there the words keep the room. "safe" tells the XSS scan that it is ours.
 */
export const safeStyle = `
:root{color-scheme:light dark;--paper:#f4f6fb;--card:#fff;--ink:#10192b;--soft:#55617a;--line:#e3e8f2;--accent:#1767b0;--press:#115490;--on:#fff;--glow:rgba(23,103,176,.14)}
@media(prefers-color-scheme:dark){:root{--paper:#0b1220;--card:#131c2e;--ink:#eef2fa;--soft:#a3afc6;--line:#22304a;--accent:#5cb3f5;--press:#86c8fa;--on:#06121f;--glow:rgba(92,179,245,.16)}}
*{box-sizing:border-box;margin:0}
html{-webkit-text-size-adjust:100%}
body{min-height:100vh;min-height:100svh;display:grid;place-items:start center;padding:14vh 16px 24px;padding-top:max(24px,16svh);background:radial-gradient(90% 60% at 50% 0,var(--glow),transparent 70%),var(--paper);color:var(--ink);font:17px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;overflow-wrap:anywhere}
main{width:100%;max-width:420px;padding:40px 28px 32px;border:1px solid var(--line);border-radius:24px;background:var(--card);box-shadow:0 24px 60px -28px rgba(8,20,44,.35);text-align:center}
.mark{display:grid;place-items:center;width:76px;height:76px;margin:0 auto 20px;border-radius:50%;background:var(--accent);color:var(--on);font-size:34px;font-weight:700;line-height:1}
.mark.quiet{background:var(--line);color:var(--soft)}
h1{margin:0 -16px;padding:0 16px;font-size:25px;line-height:1.22;letter-spacing:-.012em;text-wrap:balance;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden}
p{margin-top:10px;color:var(--soft);text-wrap:pretty}
.handle{margin-top:4px;font-size:15px}
.go{display:flex;align-items:center;justify-content:center;gap:8px;min-height:58px;margin-top:26px;padding:13px 15px;border:1px solid transparent;border-radius:16px;background:var(--accent);color:var(--on);font-size:18px;font-weight:650;text-decoration:none;touch-action:manipulation;-webkit-tap-highlight-color:transparent}
.go:hover,.go:active{background:var(--press)}
.go:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
.go svg{flex:none}
.note{margin-top:18px;font-size:14px;line-height:1.45}
@media(max-width:280px){body{padding-left:8px;padding-right:8px}main{padding-left:12px;padding-right:12px}h1{margin:0;padding:0}.go svg{display:none}}
@media(max-height:600px){h1{-webkit-line-clamp:2}}
@media(max-height:480px){body{padding-top:12px}main{padding-top:20px}.mark{display:none}}
`
  .trim()
  .replaceAll("\n", "");
