import type { ExplainFields } from './explain-fields.ts';
import { type Html, html, NOTHING } from './html.ts';

/** What the box has: what was asked, and what came of it. */
export interface ExplainBox {
  /** Of this process: a form without it is no form of this page. */
  readonly token: string;
  readonly fields: ExplainFields;
  /** Lines as `tagpin explain` prints them, or what is wrong with the question. */
  readonly answer: string | undefined;
}

/** The box that asks how an image would be looked up. */
export function explainSection({ token, fields, answer }: ExplainBox): Html {
  const { namespace, image, serviceAccount, pullSecrets } = fields;
  return html`<section id="explain"><h2>Explain an image</h2>
<p class="soft">Looks it up as the webhook would for a Pod of the namespace, with its pull secrets, and tells each step.</p>
<form method="post" action="/debug/explain">
<input type="hidden" name="token" value="${token}">
<label>Namespace<input name="namespace" required maxlength="63" value="${namespace}" autocomplete="off" spellcheck="false"></label>
<label class="wide">Image<input name="image" required maxlength="1024" value="${image}" autocomplete="off" spellcheck="false" placeholder="ghcr.io/team/app:2"></label>
<label>ServiceAccount<input name="serviceAccount" maxlength="253" value="${serviceAccount}" autocomplete="off" spellcheck="false" placeholder="default"></label>
<label>Pull secrets<input name="pullSecrets" maxlength="1024" value="${pullSecrets}" autocomplete="off" spellcheck="false" placeholder="of the ServiceAccount"></label>
<button>Explain</button>
</form>
${answer === undefined ? NOTHING : html`<pre id="answer">${lines(answer)}</pre>`}
</section>`;
}

/** Each line by itself, as a line break is no text to be shown by its number. */
function lines(text: string): readonly Html[] {
  return text.split('\n').map((line) => html`${line}${BREAK}`);
}

const BREAK: Html = { html: '\n' };
