import type { ReviewOutcome } from '../admission/policy.ts';
import { type Html, html } from './html.ts';

/** How somebody who looks for trouble is to see it. */
type Mood = 'good' | 'bad' | 'odd' | 'quiet';

const MOODS: Readonly<Partial<Record<ReviewOutcome, Mood>>> = {
  denied: 'bad',
  failed: 'bad',
  contended: 'odd',
  refresh_failed: 'odd',
  would_pin: 'odd',
  refreshed: 'good',
  pinned: 'good',
  sibling: 'good',
  reused: 'good',
  already_pinned: 'good',
};

/** What became of a review, in its colour. */
export function pill(outcome: ReviewOutcome): Html {
  return colouredPill(outcome, MOODS[outcome] ?? 'quiet');
}

export function colouredPill(text: string, mood: Mood): Html {
  return html`<span class="pill ${mood}">${text}</span>`;
}
