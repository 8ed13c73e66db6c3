import * as fc from 'fast-check';

const DIGITS = 'f'.repeat(64);

const image: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom('nginx', 'a/b', 'r.io/team/app', 'r.io:5000/x', '', 'A', 'x*'),
        fc.constantFrom('', ':1', ':latest', ':1@', ':x*'),
        fc.constantFrom(
          '',
          '',
          `@sha256:${DIGITS}`,
          '@sha256:ab',
          '@a:b',
          '@A:b',
          '@a-b.c:=',
          '@a--b:c',
          '@a:',
        ),
      )
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom(5, 1.5, true, null, [1, 'a'], { b: 1, a: 'x' }) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z@:+.]{0,12}$/) },
);

const container = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      { name: fc.constantFrom<unknown>('web', 'side', 'web', '', 7), image },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('text', null, []) },
);
const containers = fc.oneof(
  { weight: 9, arbitrary: fc.array(container, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('a', 'b'), container) },
);
const podSpec = fc.record(
  { containers, initContainers: containers, ephemeralContainers: containers },
  { requiredKeys: [] },
);

const labels = fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('web', 'db', ''));
const metadata = fc.record(
  {
    stem: fc.constantFrom('web-', 'db-', 'kube-web-'),
    generateName: fc.constantFrom('web-', 'job-'),
    namespace: fc.constantFrom('default', 'prod', 'prod-eu', 'eu-prod', 'kube-system', ''),
    labels,
  },
  { requiredKeys: ['stem'] },
);

const object = fc
  .tuple(
    fc.constantFrom('v1 Pod', 'v1 Pod', 'v1 Pod', 'apps/v1 Deployment', 'x.io/v1 Pod'),
    metadata,
    podSpec,
  )
  .map(([type, { stem, ...meta }, spec]) => {
    const [apiVersion = '', kind = ''] = type.split(' ');
    const holder = kind === 'Deployment' ? { template: { spec } } : spec;
    return { stem, apiVersion, kind, metadata: meta, spec: holder };
  });

/** Objects with images of every kind, each under a name of its own. */
export const objects: fc.Arbitrary<readonly object[]> = fc
  .array(object, { minLength: 20, maxLength: 60 })
  .map((list) =>
    list.map(({ stem, ...rest }, index) => ({
      ...rest,
      metadata: { ...rest.metadata, name: `${stem}${index}` },
    })),
  );

const word = fc.constantFrom('prod', 'prod*', '*prod', '*prod*', '*', 'default', 'kube-*', 'web-1');
const words = fc.array(word, { maxLength: 3 });
const expression = fc.oneof(
  fc.record({
    key: fc.constantFrom('app', 'tier'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.array(fc.constantFrom('web', 'db', ''), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    key: fc.constantFrom('app', 'tier'),
    operator: fc.constantFrom('Exists', 'DoesNotExist'),
  }),
);
const match = fc.record(
  {
    kinds: fc.array(
      fc.record(
        {
          apiGroups: fc.constantFrom([''], ['*'], ['apps'], ['', 'x.io']),
          kinds: fc.constantFrom(['Pod'], ['*'], ['Deployment', 'Pod']),
        },
        { requiredKeys: [] },
      ),
      { maxLength: 2 },
    ),
    namespaces: words,
    excludedNamespaces: words,
    labelSelector: fc.record(
      { matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) },
      { requiredKeys: [] },
    ),
    name: fc.constantFrom('web-*', '*-1', '*web*', 'db-2', '', '*'),
  },
  { requiredKeys: [] },
);
const exemptImages = fc.array(
  fc.constantFrom('nginx', 'nginx*', 'a/b:1', 'r.io/*', 'x*', 'x**', '*', 'r.io*/app', '', 'A'),
  { maxLength: 3 },
);
const spec = fc.record({ match, parameters: fc.record({ exemptImages }) }, { requiredKeys: [] });

/** Constraints that differ in what they select and exempt. */
export const constraints: fc.Arbitrary<readonly object[]> = fc
  .array(spec, { minLength: 1, maxLength: 4 })
  .map((specs) =>
    specs.map((content, index) => ({
      apiVersion: 'constraints.gatekeeper.sh/v1beta1',
      kind: 'K8sImageDigests',
      metadata: { name: `c${index}` },
      spec: content,
    })),
  );
