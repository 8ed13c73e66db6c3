import { describe, expect, it } from '@jest/globals';

import { ENTRY_LEVELS, entryName, isEntryName } from '../../src/admission/entry-name.ts';
import { MODES } from '../../src/admission/policy.ts';

describe('isEntryName()', () => {
  it.each(ENTRY_LEVELS.flatMap((level) => MODES.map((mode) => entryName(level, mode))))(
    'knows %s',
    (name) => {
      expect(isEntryName(name)).toBe(true);
    },
  );

  it.each([
    'pods.pin.tagpin.dev.example',
    'x.pods.pin.tagpin.dev',
    'pods.pin.tagpinXdev',
    'pods.audit.tagpin.dev',
    'nodes.pin.tagpin.dev',
    'digests.tagpin.dev',
    '',
  ])('does not know "%s"', (name) => {
    expect(isEntryName(name)).toBe(false);
  });
});
