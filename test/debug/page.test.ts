import { describe, expect, it } from '@jest/globals';

import { NO_FIELDS } from '../../src/debug/explain-fields.ts';
import { readFilter } from '../../src/debug/filter.ts';
import { PAGE_POLICY, pageOf } from '../../src/debug/page.ts';
import {
  admissionReport,
  createDebugClock,
  type DebugClock,
  imageReport,
} from '../support/debug.ts';

const EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202E';

function page({ overview }: DebugClock, query = '', answer?: string): string {
  const explain = { token: 'token', fields: NO_FIELDS, answer };
  const filter = readFilter(new URLSearchParams(query));
  return pageOf({ overview: overview(), filter, explain });
}

/** Of the page, without what is the same in each. */
function bodyOf(text: string): string {
  return text.slice(text.indexOf('<body>'), text.lastIndexOf('<script>'));
}

describe('pageOf()', () => {
  it('says so where nothing happened yet', () => {
    expect(page(createDebugClock())).toContain('A Pod made in a labelled namespace will be here');
  });

  it('has what was decided, what is pinned, who was asked, and how the process is', () => {
    const time = createDebugClock();
    time.record.review(admissionReport());
    time.record.registries.registryRequest({
      host: 'registry.example.com',
      code: '200',
      quota: { remaining: 76, limit: 100, windowS: 21_600 },
    });
    time.record.cacheResult('hit');
    time.record.cacheResult('miss');
    const expiresMs = time.dayMs + 6.5 * 24 * 3_600_000;
    const serving = { certificate: 'serving', source: 'built-in' };
    time.record.certificateExpiry(serving, expiresMs / 1000);
    time.dayMs += 40_000;
    const body = bodyOf(page(time));
    for (const text of [
      '1.2.3, up for 1 min',
      'shop/web-1',
      'registry.example.com/shop/web:1.4',
      'sha256:9f9f9f9f9f9f…',
      '40 s ago',
      '1×',
      '<th>Places</th>',
      '2 of 16 in flight, 1 waiting',
      '76 of 100 left in 6 h 0 min',
      '50.0 %',
      '<b>6 days</b>',
      '--cache-ttl',
    ]) {
      expect(body).toContain(text);
    }
  });

  it.each(['name', 'namespace', 'operation', 'subResource', 'uid'])(
    'shows a %s of a stranger as text',
    (field) => {
      const time = createDebugClock();
      const report = admissionReport();
      time.record.review({ ...report, review: { ...report.review, [field]: EVIL } });
      expect(markupIn(page(time))).toEqual([]);
    },
  );

  it.each(['container', 'original', 'registry', 'reason'])(
    'shows the %s of an image as text',
    (field) => {
      const time = createDebugClock();
      time.record.review(admissionReport([imageReport({ [field]: EVIL })]));
      expect(markupIn(page(time))).toEqual([]);
    },
  );

  it('shows as text what was typed, and what was answered', () => {
    const time = createDebugClock();
    const fields = { namespace: EVIL, image: EVIL, serviceAccount: EVIL, pullSecrets: EVIL };
    const explain = { token: 'token', fields, answer: `${EVIL}\n${EVIL}` };
    const filter = { namespace: EVIL, why: EVIL, text: EVIL };
    time.record.registries.registryRequest({ host: EVIL, code: EVIL });
    time.record.review(admissionReport());
    const text = pageOf({ overview: time.overview(), filter, explain });
    expect(markupIn(text)).toEqual([]);
    expect(text.match(/&lt;img src=x/g)?.length).toBeGreaterThan(8);
  });

  it('hides what a filter does not let by, and says how much that is', () => {
    const time = createDebugClock();
    time.record.review(admissionReport());
    time.record.review(admissionReport([imageReport({ original: 'quay.io/a/b:1' })]));
    const body = bodyOf(page(time, 'text=quay.io'));
    expect(body.match(/<tr [^>]*" hidden>/g)).toHaveLength(1);
    expect(body).toContain('<span data-shown>1</span> of 2 shown');
  });

  it('says what is left out of the decisions, for the sake of which', () => {
    const time = createDebugClock();
    time.record.review(admissionReport());
    for (let n = 0; n < 210; n += 1) {
      time.record.review(admissionReport([imageReport()], { namespace: 'loud' }));
    }
    expect(bodyOf(page(time))).toContain('Left out, to keep some of other namespaces: 11 of loud.');
  });

  it('says whose pin an image has', () => {
    const time = createDebugClock();
    time.record.review(admissionReport([imageReport()], { namespace: 'billing' }));
    const body = bodyOf(page(time));
    expect(body.slice(body.indexOf('id="pins"'), body.indexOf('id="registries"'))).toContain(
      '<div class="soft">billing</div>',
    );
  });

  it('answers a question line by line', () => {
    expect(page(createDebugClock(), '', 'one\ntwo <')).toContain(
      '<pre id="answer">one\ntwo &lt;\n</pre>',
    );
  });
});

/** What of a stranger's text is more than text; throws where it is not there as text. */
function markupIn(text: string): readonly string[] {
  const body = bodyOf(text);
  if (!body.includes('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;')) throw new Error('not shown');
  return [...body.matchAll(/<img|<script|\u202E/g)].map(([found]) => found);
}

describe('PAGE_POLICY', () => {
  it('allows nothing but the bytes of the page itself', () => {
    expect(PAGE_POLICY.split('; ')).toEqual([
      "default-src 'none'",
      expect.stringMatching(/^style-src 'sha256-[\w+/]{43}='$/),
      expect.stringMatching(/^script-src 'sha256-[\w+/]{43}='$/),
      'img-src data:',
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]);
    const text = page(createDebugClock());
    expect(text).not.toMatch(/ style=| on\w+=|https?:\/\/(?!www\.w3\.org)/);
  });
});
