import { describe, expect, it } from '@jest/globals';

import { grantFor } from '../../src/explain/right.ts';

describe('grantFor()', () => {
  it.each([
    ['alice@example.com', '--user alice@example.com'],
    ['system:serviceaccount:ci:deployer', '--serviceaccount ci:deployer'],
    ['system:serviceaccount:ci:x;reboot', "--serviceaccount 'ci:x;reboot'"],
    ["o'hara; rm -rf /", `--user 'o'\\''hara; rm -rf /'`],
  ])('names the binding that %s lacks, as a shell takes it', (username, subject) => {
    expect(grantFor(username, 'shop')).toEqual({
      reason: 'forbidden',
      message: `${JSON.stringify(username)} may not get explanations.tagpin.dev in namespace "shop"`,
      advice: `ask for this: kubectl create rolebinding tagpin-explain --namespace shop --clusterrole tagpin-explain ${subject}`,
    });
  });
});
