import { describe, expect, it } from '@jest/globals';

import { html, NOTHING } from '../../src/debug/html.ts';

describe('html``', () => {
  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    [`"><img src=x onerror='a'>`, '&quot;&gt;&lt;img src=x onerror=&#39;a&#39;&gt;'],
    ['&lt;', '&amp;lt;'],
    ['a\u202Eb\u2066c\u200Fd', 'a\\u{202e}b\\u{2066}c\\u{200f}d'],
    ['a\u0000b\u0007c\nd\u0085', 'a\\u{0}b\\u{7}c\\u{a}d\\u{85}'],
    ['zero\u200Bwidth\uFEFF', 'zero\\u{200b}width\\u{feff}'],
    ['half \uD800', 'half \\u{d800}'],
    ['größe → 图像', 'größe → 图像'],
  ])('writes %j as text', (text, written) => {
    expect(html`<i title="${text}">${text}</i>`.html).toBe(`<i title="${written}">${written}</i>`);
  });

  it('takes numbers, and what is HTML already', () => {
    const items = ['<', '>'].map((one) => html`<li>${one}</li>`);
    expect(html`${1}${items}${NOTHING}`.html).toBe('1<li>&lt;</li><li>&gt;</li>');
  });
});
