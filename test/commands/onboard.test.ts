import { describe, expect, it } from '@jest/globals';

import { runTagpin } from '../support/process.ts';

describe('tagpin onboard', () => {
  it('ends with 2 for a namespace for which tagpin is never called', async () => {
    expect(await runTagpin(['onboard', 'kube-system', '--dry-run'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'tagpin: tagpin is never called for namespace "kube-system", whatever its labels [invalid_config]\n',
    });
  });

  it('ends with 2 without a namespace', async () => {
    const { code, stderr } = await runTagpin(['onboard', '--dry-run']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "tagpin: missing required argument 'NAMESPACE'\n",
    });
  });
});
