import { createHash } from 'node:crypto';

import { decisionsSection } from './decisions-section.ts';
import { type ExplainBox, explainSection } from './explain-section.ts';
import type { DecisionFilter } from './filter.ts';
import { type Html, html, NOTHING } from './html.ts';
import type { Overview } from './overview.ts';
import { colouredPill } from './pill.ts';
import { SCRIPT } from './script.ts';
import { span } from './span.ts';
import { pinsSection, processSection, registriesSection, tiles } from './state-sections.ts';
import { STYLE } from './style.ts';

/** What a page is made of. */
export interface PageParts {
  readonly overview: Overview;
  readonly filter: DecisionFilter;
  readonly explain: ExplainBox;
}

/** A pin, drawn in the page itself. */
const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cpath fill=%22%231c5fc4%22 d=%22M8 1a5 5 0 0 1 1 9.9L8 15l-1-4.1A5 5 0 0 1 8 1z%22/%3E%3C/svg%3E';

const INLINE = { style: { html: STYLE }, script: { html: SCRIPT }, icon: { html: ICON } };

/**
 * What a browser may do with the page (CSP level 3): nothing but its own style and script, known by
 * their bytes, its icon, and its own forms; and nobody may frame it.
 */
export const PAGE_POLICY: string = [
  "default-src 'none'",
  `style-src '${hashOf(STYLE)}'`,
  `script-src '${hashOf(SCRIPT)}'`,
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** The page as HTML. Whatever a stranger wrote is text in it. */
export function pageOf({ overview, filter, explain }: PageParts): string {
  const { version, uptimeMs, atMs, notReady } = overview;
  const status =
    notReady.length === 0
      ? colouredPill('ready', 'good')
      : colouredPill(`not ready: ${notReady.join(', ')}`, 'bad');
  const body = html`<header><h1>tagpin</h1><span class="soft">${version}, up for ${span(uptimeMs)}, ${new Date(atMs).toISOString().slice(0, 19)}Z</span> ${status}
<nav><a href="#decisions">Decisions</a><a href="#pins">Pins</a><a href="#registries">Registries</a><a href="/debug">Reload</a></nav></header>
<main>
${tiles(overview)}
${explainSection(explain)}
${decisionsSection(overview, filter)}
${pinsSection(overview)}
${registriesSection(overview)}
${processSection(overview)}
</main>`;
  return framed(body);
}

/** A page that says one thing. */
export function noticeOf(message: string): string {
  return framed(
    html`<main><section><h2>${message}</h2><p><a href="/debug">To the page</a></p></section></main>`,
  );
}

function framed(body: Html): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>tagpin</title><link rel="icon" href="${INLINE.icon}"><style>${INLINE.style}</style></head>
<body>${body}<script>${INLINE.script}</script></body></html>
${NOTHING}`;
  return page.html;
}
