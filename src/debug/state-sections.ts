import { type Html, html, NOTHING } from './html.ts';
import type { Overview } from './overview.ts';
import { colouredPill } from './pill.ts';
import type { LookUpPlaces, Quota, RegistryState } from './registries.ts';
import { shortDigest } from './short-digest.ts';
import { ago, span } from './span.ts';

const DAY_MS = 24 * 60 * 60_000;

/** What to see first, in four figures. */
export function tiles({ cache, certificates, registries, atMs, decisions }: Overview): Html {
  const healthy = registries.filter(({ health }) => health === 'answers').length;
  const serving = certificates.find(({ certificate }) => certificate === 'serving');
  const failed = decisions.filter(({ outcome }) => outcome === 'failed' || outcome === 'denied');
  return html`<div class="tiles">
${tile('Failed or denied', String(failed.length), `of the last ${decisions.length} decisions`)}
${tile('Registries that answer', `${healthy} of ${registries.length}`, 'and token servers')}
${tile('Answered by the cache', percentage(cache.results), `${cache.entries} entries of ${cache.maxDigests}`)}
${tile('Certificate', serving === undefined ? 'none' : expiry(serving.expiresMs - atMs), serving === undefined ? 'not loaded yet' : serving.source)}
</div>`;
}

function tile(title: string, figure: string, about: string): Html {
  return html`<section><span class="soft">${title}</span><b>${figure}</b><span class="soft">${about}</span></section>`;
}

function percentage(results: Readonly<Record<string, number>>): string {
  const all = Object.values(results).reduce((sum, count) => sum + count, 0);
  const known = (results['hit'] ?? 0) + (results['negative_hit'] ?? 0) + (results['stale'] ?? 0);
  return all === 0 ? '–' : `${((100 * known) / all).toFixed(1)} %`;
}

function expiry(leftMs: number): string {
  if (leftMs <= 0) return 'expired';
  return leftMs < 2 * DAY_MS ? span(leftMs) : `${Math.floor(leftMs / DAY_MS)} days`;
}

/** Which image got which digest, and how often. */
export function pinsSection({ pins, atMs }: Overview): Html {
  const rows = pins.map(
    ({ namespace, image, digest, count, lastSeenMs, before }) => html`<tr>
<td data-label="Image"><div><code>${image}</code><div class="soft">${namespace}</div></div></td>
<td data-label="Digest"><div><code title="${digest}">${shortDigest(digest)}</code>${before === undefined ? NOTHING : html`<div class="soft">before: <code title="${before}">${shortDigest(before)}</code></div>`}</div></td>
<td data-label="Pinned" class="number"><div>${count}×</div></td>
<td data-label="Last" class="number"><div>${ago(atMs - lastSeenMs)}</div></td>
</tr>`,
  );
  return html`<section id="pins"><h2>Pins</h2>
<p class="soft">What each image was pinned to by this replica in a namespace, and how often.</p>
${rows.length === 0 ? html`<p class="empty">None yet.</p>` : html`<table><thead><tr><th>Image</th><th>Digest</th><th class="number">Pinned</th><th class="number">Last</th></tr></thead><tbody>${rows}</tbody></table>`}
</section>`;
}

/** Who was asked, and how that goes. */
export function registriesSection({ registries, atMs }: Overview): Html {
  const rows = registries.map(
    (one) => html`<tr>
<td data-label="Registry"><code>${one.registry}</code></td>
<td data-label="Health"><div>${healthOf(one)}${one.lastRequestMs === undefined ? NOTHING : html`<div class="soft">last: ${one.lastCode}, ${ago(atMs - one.lastRequestMs)}</div>`}</div></td>
<td data-label="Requests" class="number"><div>${one.requests}${one.unanswered === 0 ? NOTHING : html`<div class="soft">${one.unanswered} unanswered</div>`}</div></td>
<td data-label="Places"><div>${placesText(one.places)}</div></td>
<td data-label="Quota"><div>${quotaText(one.quota)}</div></td>
</tr>`,
  );
  return html`<section id="registries"><h2>Registries</h2>
<p class="soft">Registries and token servers that this replica asked.</p>
${rows.length === 0 ? html`<p class="empty">None was asked yet.</p>` : html`<table><thead><tr><th>Registry</th><th>Health</th><th class="number">Requests</th><th>Places</th><th>Quota</th></tr></thead><tbody>${rows}</tbody></table>`}
</section>`;
}

const HEALTH = {
  answers: ['answers', 'good'],
  failing: ['does not answer', 'odd'],
  limited: ['answered 429', 'odd'],
  silent: ['left alone', 'bad'],
} as const;

function healthOf({ health, leftAloneMs }: RegistryState): Html {
  const [text, mood] = HEALTH[health];
  const wait = leftAloneMs === 0 ? '' : `, asked again in ${span(leftAloneMs + 999)}`;
  return colouredPill(`${text}${wait}`, mood);
}

function placesText({ limit, inFlight, waiting }: LookUpPlaces): string {
  return `${inFlight} of ${limit} in flight, ${waiting} waiting`;
}

function quotaText(quota: Quota | undefined): string {
  if (quota === undefined) return '–';
  const of = quota.limit === undefined ? '' : ` of ${quota.limit}`;
  const window = quota.windowS === undefined ? '' : ` in ${span(quota.windowS * 1000)}`;
  return `${quota.remaining}${of} left${window}`;
}

/** Certificates, the cache, and the settings that no secret is in. */
export function processSection({ cache, certificates, settings, atMs, node }: Overview): Html {
  const results = Object.entries(cache.results).map(([result, count]) => `${result} ${count}`);
  const lines: (readonly [string, string])[] = [
    ...certificates.map(({ certificate, source, expiresMs }) => {
      const when = new Date(expiresMs).toISOString();
      return [
        `Certificate: ${certificate}`,
        `${when}, in ${expiry(expiresMs - atMs)} (${source})`,
      ] as const;
    }),
    ['Cache', results.length === 0 ? 'not asked yet' : results.join(', ')],
    ['Node', node],
  ];
  return html`<section id="process"><h2>Process</h2>
<dl>${lines.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
<details><summary>Settings</summary>
<dl>${Object.entries(settings).map(([flag, value]) => html`<dt><code>${flag}</code></dt><dd><code>${value === '' ? '–' : value}</code></dd>`)}</dl>
</details></section>`;
}
