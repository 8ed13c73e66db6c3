import type { LookUpPhases } from '../admission/ports.ts';
import type { ImageReport } from '../admission/report.ts';
import { type DecisionFilter, passes, searchedTextOf, whysOf } from './filter.ts';
import { type Html, html, NOTHING } from './html.ts';
import type { Overview } from './overview.ts';
import { MAX_PAST_REVIEWS, type PastReview } from './past-reviews.ts';
import { pill } from './pill.ts';
import type { LeftOut } from './shares.ts';
import { shortDigest } from './short-digest.ts';
import { ago, milliseconds } from './span.ts';

/** The last decisions as a table, of which those are seen that pass. */
export function decisionsSection(
  { decisions, decisionsLeftOut, atMs }: Overview,
  filter: DecisionFilter,
): Html {
  const shown = decisions.filter((decision) => passes(decision, filter)).length;
  return html`<section id="decisions">
<h2>Decisions</h2>
<p class="soft">The last ${MAX_PAST_REVIEWS} of this replica: <span data-shown>${shown}</span> of ${decisions.length} shown. <a href="/debug.json">As JSON</a></p>
${leftOutText(decisionsLeftOut)}
${decisions.length === 0 ? html`<p class="empty">None yet. A Pod made in a labelled namespace will be here.</p>` : table(decisions, filter, atMs)}
</section>`;
}

function leftOutText(leftOut: readonly LeftOut[]): Html {
  if (leftOut.length === 0) return NOTHING;
  const counts = leftOut.map(({ namespace, count }) => `${count} of ${namespace}`);
  return html`<p class="soft">Left out, to keep some of other namespaces: ${counts.join(', ')}.</p>`;
}

function table(decisions: readonly PastReview[], filter: DecisionFilter, atMs: number): Html {
  return html`${filterForm(decisions, filter)}
<table>
<thead><tr><th>When</th><th>Object</th><th>Outcome</th><th>Images</th><th class="number">Took</th></tr></thead>
<tbody>${decisions.map((decision) => row(decision, filter, atMs))}</tbody>
</table>`;
}

function filterForm(decisions: readonly PastReview[], filter: DecisionFilter): Html {
  const namespaces = decisions.map(({ namespace }) => namespace);
  return html`<form method="get" action="/debug" data-filter>
<label>Namespace${choice('namespace', namespaces, filter.namespace)}</label>
<label>Outcome or reason${choice('why', decisions.flatMap(whysOf), filter.why)}</label>
<label class="wide">Name, image, digest or registry<input type="search" name="text" maxlength="256" value="${filter.text}" autocomplete="off"></label>
<button class="plain">Filter</button>
</form>`;
}

function choice(name: string, values: readonly string[], chosen: string): Html {
  const options = [...new Set([...values, chosen])].filter((value) => value !== '').toSorted();
  return html`<select name="${name}"><option value="">all</option>${options.map(
    (value) =>
      html`<option value="${value}"${value === chosen ? SELECTED : NOTHING}>${value}</option>`,
  )}</select>`;
}

const SELECTED: Html = { html: ' selected' };
const HIDDEN: Html = { html: ' hidden' };

function row(decision: PastReview, filter: DecisionFilter, atMs: number): Html {
  const { namespace, name, kind, subResource, operation, mode, dryRun } = decision;
  const { outcome, images, moreImages } = decision;
  const what = subResource === '' ? kind : `${kind}/${subResource}`;
  const how = [operation, `mode ${mode}`, dryRun ? 'dry run' : ''].filter(Boolean).join(', ');
  return html`<tr data-namespace="${namespace}" data-why="${whysOf(decision).join(' ')}" data-text="${searchedTextOf(decision)}"${passes(decision, filter) ? NOTHING : HIDDEN}>
<td data-label="When"><time datetime="${new Date(decision.atMs).toISOString()}">${ago(atMs - decision.atMs)}</time></td>
<td data-label="Object"><div>${namespace}/${name === '' ? '(no name yet)' : name}</div><div class="soft">${what}, ${how}</div></td>
<td data-label="Outcome"><div>${pill(outcome)}</div></td>
<td data-label="Images"><div>${images.map(imageLine)}${moreImages === 0 ? NOTHING : html`<div class="soft">and ${moreImages} more</div>`}</div></td>
<td data-label="Took" class="number"><div>${milliseconds(decision.ms)}</div></td>
</tr>`;
}

function imageLine(image: ImageReport): Html {
  const { container, original, digest, reason, outcome, registry, stale, ms, phases } = image;
  const about = [
    container,
    reason === '' ? outcome : `${outcome}: ${reason}`,
    stale ? 'stale' : '',
    registry === undefined || phases === undefined ? '' : `${registry} in ${milliseconds(ms)}`,
    phases === undefined ? '' : phasesText(phases),
  ];
  return html`<div class="image"><code>${original === '' ? '(empty)' : original}</code>${digest === undefined ? NOTHING : html` → <code title="${digest}">${shortDigest(digest)}</code>`}<div class="soft">${about.filter(Boolean).join(' · ')}</div></div>`;
}

/** Where the time went; what nothing was waited for is left out. */
function phasesText({ secretMs, queueMs, tokenMs, manifestMs }: LookUpPhases): string {
  const told = [
    ['secret', secretMs],
    ['queue', queueMs],
    ['token', tokenMs],
    ['manifest', manifestMs],
  ] as const;
  const waited = told.filter(([, ms]) => ms >= LEAST_MS);
  return waited.map(([name, ms]) => `${name} ${milliseconds(ms)}`).join(', ');
}

const LEAST_MS = 0.05;
