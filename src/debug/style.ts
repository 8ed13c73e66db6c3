/** Of the page: no outside font, no image, light and dark as the browser is. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #14171c);
  --card: light-dark(#fff, #1c2027);
  --line: light-dark(#e1e5eb, #2d333d);
  --ink: light-dark(#1a2130, #e4e8ee);
  --soft: light-dark(#596579, #98a3b5);
  --link: light-dark(#1c5fc4, #7db0ff);
  --good: light-dark(#12703b, #66d393);
  --good-ground: light-dark(#e3f5ea, #16301f);
  --bad: light-dark(#b3241c, #ff8f85);
  --bad-ground: light-dark(#fdeae8, #3c1b19);
  --odd: light-dark(#885400, #f2bd62);
  --odd-ground: light-dark(#fdf1dc, #35280f);
  --quiet-ground: light-dark(#eceff3, #2a303a);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;
  overflow-wrap: anywhere;
}
header, main { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .9rem; padding-top: 1.4rem; }
h1 { font-size: 1.3rem; letter-spacing: -.01em; margin: 0; }
h2 { font-size: 1rem; margin: 0; }
h2 + p { margin: .15rem 0 0; }
a { color: var(--link); }
.soft, th, label, dt { color: var(--soft); }
.soft, th, label, dt, .pill { font-size: .82rem; }
nav { margin-left: auto; display: flex; gap: 1rem; font-size: .88rem; }
main { padding-bottom: 4rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin-top: 1.1rem; padding: 1rem 1.15rem 1.1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .8rem; margin-top: 1.1rem; }
.tiles section { margin: 0; padding: .7rem 1rem .8rem; }
.tiles b { display: block; font-size: 1.35rem; font-weight: 600; letter-spacing: -.02em; line-height: 1.3; }
code, pre, .mono { font-family: var(--mono); font-size: .84rem; }
.pill { display: inline-block; padding: .05rem .5rem; border-radius: 99px; background: var(--quiet-ground); color: var(--soft); white-space: nowrap; }
.pill.good { background: var(--good-ground); color: var(--good); }
.pill.bad { background: var(--bad-ground); color: var(--bad); }
.pill.odd { background: var(--odd-ground); color: var(--odd); }
table { width: 100%; border-collapse: collapse; margin-top: .7rem; }
th { text-align: left; font-weight: 500; padding: .3rem .75rem .3rem 0; }
td { vertical-align: top; border-top: 1px solid var(--line); padding: .5rem .75rem .5rem 0; }
td:last-child, th:last-child { padding-right: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.number + td, th.number + th { padding-left: 1.2rem; }
time { white-space: nowrap; }
td > :first-child { margin-top: 0; }
tr[hidden] { display: none; }
.image + .image { margin-top: .45rem; }
form { display: flex; flex-wrap: wrap; gap: .6rem .8rem; align-items: end; margin-top: .7rem; }
label { display: flex; flex-direction: column; gap: .15rem; flex: 1 1 9rem; min-width: 0; }
label.wide { flex: 3 1 18rem; }
input, select, button {
  font: inherit; font-size: .92rem; color: var(--ink); background: var(--ground); width: 100%; min-width: 0;
  border: 1px solid var(--line); border-radius: 7px; padding: .42rem .6rem; min-height: 2.4rem;
}
button { width: auto; background: var(--link); border-color: var(--link); color: var(--card); font-weight: 600; cursor: pointer; padding: .42rem 1.1rem; }
button.plain { background: none; color: var(--link); border-color: var(--line); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
pre { margin: .9rem 0 0; padding: .8rem 1rem; background: var(--ground); border: 1px solid var(--line); border-radius: 7px; overflow-x: auto; line-height: 1.6; }
pre.wrapped { white-space: pre-wrap; }
.empty { margin: .7rem 0 0; color: var(--soft); }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .3rem 1.2rem; margin: .8rem 0 0; }
dt { padding-top: .1rem; }
dd { margin: 0; min-width: 0; }
summary { cursor: pointer; font-weight: 600; }
@media (max-width: 46rem) {
  header, main { padding-left: .8rem; padding-right: .8rem; }
  nav { margin-left: 0; width: 100%; }
  section { padding: .85rem .9rem .95rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .6rem; }
  .tiles b { font-size: 1.1rem; }
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: block; border-top: 1px solid var(--line); padding: .55rem 0; }
  td, td.number, td.number + td { display: grid; grid-template-columns: 5.5rem 1fr; gap: 0 .6rem; text-align: left; border: 0; padding: .12rem 0; white-space: normal; }
  td::before { content: attr(data-label); color: var(--soft); font-size: .82rem; }
  td > * { grid-column: 2; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
}
`;
