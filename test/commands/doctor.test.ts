import { describe, expect, it } from '@jest/globals';

import { runTagpin } from '../support/process.ts';

describe('tagpin doctor', () => {
  it.each([
    ['--namespaces=..', '".."'],
    ['--installed-in=a/b', '"a/b"'],
    ['--webhook-configuration=A', '"A"'],
  ])('ends with 2 for %s, which names no object but another path', async (flag, shown) => {
    expect(await runTagpin(['doctor', flag])).toEqual({
      code: 2,
      stdout: '',
      stderr: `tagpin: ${shown} is no name of an object [invalid_config]\n`,
    });
  });

  it('ends with 2 where there is no kubeconfig', async () => {
    const { code, stdout, stderr } = await runTagpin(['doctor', '--kubeconfig=/nowhere']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Cannot reach an API server with /nowhere');
  });

  it('ends with 2 for --in-cluster where there is none', async () => {
    const { code, stderr } = await runTagpin(['doctor', '--in-cluster']);
    expect(code).toBe(2);
    expect(stderr).toContain('the ServiceAccount of this Pod');
  });
});
