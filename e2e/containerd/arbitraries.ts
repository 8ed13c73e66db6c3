import * as fc from 'fast-check';

/** A platform as it stands in an index. */
interface WrittenPlatform {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

/** A manifest, or an index of some. */
export type Tree = {
  /** In the index above. */
  readonly platform?: WrittenPlatform | undefined;
} & (
  | { readonly entries: readonly Tree[] }
  /** What its config says. */
  | { readonly config: WrittenPlatform }
);

const os = fc.oneof(
  { arbitrary: fc.constant('linux'), weight: 6 },
  { arbitrary: fc.constant('windows'), weight: 3 },
  { arbitrary: fc.constantFrom('darwin', 'macos', 'Linux', 'freebsd'), weight: 1 },
);
const architecture = fc.oneof(
  { arbitrary: fc.constantFrom('amd64', 'arm', 'arm64'), weight: 6 },
  {
    arbitrary: fc.constantFrom('386', 'i386', 'x86_64', 'x86-64', 'aarch64', 'armhf', 'armel'),
    weight: 3,
  },
  { arbitrary: fc.constantFrom('AMD64', 'ARM', 's390x', 'riscv64', 'ppc64le'), weight: 1 },
);
const variant = fc.oneof(
  { arbitrary: fc.constantFrom('v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9'), weight: 6 },
  { arbitrary: fc.constantFrom('5', '6', '7', '8', '9', '9.0', 'v8.0', 'v9.0', 'V8'), weight: 2 },
  { arbitrary: fc.stringMatching(/^v[89]\.[0-9]$/), weight: 2 },
  { arbitrary: fc.constantFrom('v07', 'v8.10', 'v10', 'x', 'v', '0', 'v9.9', 'v8.'), weight: 1 },
);
const osVersion = fc.oneof(
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom('10.0', '10.0', '10.0', '11.0', '10.1'),
        fc.constantFrom(17763, 20347, 20348, 22621, 25398, 26099, 26100, 26200),
        fc.constantFrom('', '', '.1', '.1.2'),
      )
      .map(([major, build, more]) => `${major}.${build}${more}`),
    weight: 6,
  },
  {
    arbitrary: fc.constantFrom(
      '10.0',
      '0.0.0',
      '10.0.x',
      '10.0.70000',
      '256.0.1',
      '010.0.20348',
      '.',
    ),
    weight: 1,
  },
);
const feature = fc.constantFrom('win32k', 'a', 'b', 'c');
const percent = fc.constantFrom('%2B', '%2e', '%25', '%zz', '%', '%28', 'a%20b');
const orEmpty = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ arbitrary: fc.constant(''), weight: 2 }, text);

const options = fc
  .tuple(
    orEmpty(fc.oneof({ arbitrary: osVersion, weight: 5 }, percent)),
    fc.array(fc.oneof({ arbitrary: feature, weight: 8 }, percent), { maxLength: 3 }),
  )
  .map(([version, features]) => `(${[version, ...features].join('+')})`);

/** What a node is, as a person writes it. */
export const platformText: fc.Arbitrary<string> = fc
  .tuple(os, orEmpty(options), architecture, orEmpty(variant))
  .map(([system, more, processor, kind]) =>
    [`${system}${more}`, processor, kind].filter((part) => part !== '').join('/'),
  );

/** The same, or nearly; never of one word, for containerd takes the rest from its machine. */
export const nearlyPlatformText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: platformText, weight: 8 },
  {
    arbitrary: fc
      .array(
        fc.oneof(
          os,
          architecture,
          variant,
          options,
          fc.constantFrom(
            '',
            '*',
            ' linux',
            'linux()',
            'linux(',
            'é',
            '\u017F',
            'a+b',
            '__proto__',
          ),
        ),
        { minLength: 2, maxLength: 5 },
      )
      .map((parts) => parts.join('/')),
    weight: 4,
  },
  {
    arbitrary: fc
      .tuple(fc.string({ maxLength: 5 }), fc.string({ unit: 'binary', maxLength: 5 }))
      .map((parts) => parts.join('/')),
    weight: 1,
  },
);

const platform: fc.Arbitrary<WrittenPlatform> = fc.oneof(
  {
    arbitrary: fc.record(
      {
        os,
        architecture,
        variant: orEmpty(variant),
        'os.version': osVersion,
        'os.features': fc.array(feature, { maxLength: 3 }),
      },
      { requiredKeys: ['os', 'architecture'] },
    ),
    weight: 8,
  },
  {
    arbitrary: fc.constantFrom<WrittenPlatform>(
      { os: 'unknown', architecture: 'unknown' },
      {},
      { architecture: 'amd64' },
      { os: '', architecture: 'arm' },
      { os: 'linux' },
    ),
    weight: 1,
  },
);

/** Indexes whose entries all say what they are for, and are manifests. */
export const flatTree: fc.Arbitrary<Tree> = fc
  .array(platform, { maxLength: 12 })
  .map((platforms) => ({ entries: platforms.map((one) => ({ platform: one, config: one })) }));

/** Indexes of anything. */
export const anyTree: fc.Arbitrary<Tree> = fc
  .letrec<{ entries: Tree[]; tree: Tree }>((tie) => ({
    entries: fc.array(tie('tree'), { maxLength: 6 }),
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ platform: fc.option(platform, { nil: undefined }), config: platform }),
      fc.record({
        platform: fc.option(platform, { nil: undefined, freq: 2 }),
        entries: tie('entries'),
      }),
    ),
  }))
  .entries.map((entries) => ({ entries }));
