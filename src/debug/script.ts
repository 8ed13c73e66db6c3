/**
 * Filters what the page has while it is typed; without it the form does the same. It asks nobody and
 * writes no HTML: rows are shown or hidden, by what the server wrote beside them.
 */
export const SCRIPT = `
'use strict';
const form = document.querySelector('form[data-filter]');
const rows = [...document.querySelectorAll('tr[data-text]')];
const shown = document.querySelector('[data-shown]');
function filter() {
  const asked = new FormData(form);
  const [namespace, why, text] = ['namespace', 'why', 'text'].map((name) => String(asked.get(name)));
  const part = text.toLowerCase();
  let count = 0;
  for (const row of rows) {
    const { namespace: of, why: whys, text: said } = row.dataset;
    const passes =
      (namespace === '' || of === namespace) &&
      (why === '' || whys.split(' ').includes(why)) &&
      said.includes(part);
    row.hidden = !passes;
    if (passes) count += 1;
  }
  shown.textContent = String(count);
}
if (form && shown) {
  form.addEventListener('input', filter);
  form.addEventListener('submit', (event) => { event.preventDefault(); filter(); });
}
`;
