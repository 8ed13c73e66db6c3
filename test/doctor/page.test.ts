import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

import { CHECKS } from '../../src/doctor/finding.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'doctor.md'), 'utf8');

describe('docs/doctor.md', () => {
  it('has every check, in the order of the report, with what it looks at', () => {
    const rows = [...PAGE.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].filter(
      ([, id = '']) => !['ok', 'warning', 'failed'].includes(id),
    );
    expect(rows.map(([, id, looks]) => [id, looks])).toEqual(Object.entries(CHECKS));
  });
});
