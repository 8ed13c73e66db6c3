import { describe, expect, it } from '@jest/globals';

import { Files } from '../support/files.ts';
import { kubeconfigText } from '../support/kubeconfig.ts';
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

  it('says whom it asked, why there was no answer, and how to ask the same', async () => {
    await using files = new Files();
    const file = files.write('dead', kubeconfigText('https://127.0.0.1:2', 'x'));
    const { code, stdout } = await runTagpin(['doctor', `--kubeconfig=${file}`, '--context=x']);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'The API server https://127.0.0.1:2 did not answer GET /version (connect ECONNREFUSED 127.0.0.1:2)',
    );
    expect(stdout).toContain(`$ kubectl --kubeconfig ${file} --context x version\n`);
  });

  it('ends with 2 for --in-cluster where there is none', async () => {
    const { code, stderr } = await runTagpin(['doctor', '--in-cluster']);
    expect(code).toBe(2);
    expect(stderr).toContain('the ServiceAccount of this Pod');
  });
});
