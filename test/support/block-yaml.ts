import * as fc from 'fast-check';

/** Mostly the first. */
function mostly<T>(usual: readonly T[], odd: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
}

const key = mostly(
  ['a', 'b', 'c', 'd', 'e', 'f', 'image', 'name', 'x.y/z', 'constructor'],
  ['true', '1', '"q"', '<<', '? a', '- a', 'a b'],
);
/** What may stand behind a key or a dash. */
const value = mostly(
  [
    ['x', 'nginx:1.27', '127.0.0.1:5000/a:1', '"a b"', "'c' # d", '8080', '100m', 'true', ''],
    ['[a, b]', '["--x=:80", "y"]', '{a: 1}', 'a # b', 'a#b', 'é', '"\\u00e9"', "'it''s'", '1e3'],
  ].flat(),
  [
    ['*l', '*m', '&l x', '&m [y]', '[&l a]', '[*l]', '&l *m', '{{ x }}', '<<', '-', '- x', '~'],
    ['a: b', 'a:', '|', '>-', '"x"#c', '"open', '!!str 1', '%x', '@x', '? x', '[a', '---'],
  ].flat(),
);
const note = fc.constantFrom('', '', '', ' # c', '  ', ' &l', ' &m # c');
const gap = fc.constantFrom<Lines>([], [], [], [''], ['# c'], ['         # c']);

/** Lines, indented as they stand in what holds them. */
type Lines = readonly string[];

function indented(lines: Lines, by: number): Lines {
  return lines.map((line) => `${line === '' ? '' : ' '.repeat(by)}${line}`);
}

const { block } = fc.letrec<{ block: Lines; map: Lines; list: Lines }>((tie) => ({
  block: fc.oneof(tie('map'), tie('list')),
  map: fc
    .array(
      fc.oneof(
        { depthSize: 'small' },
        fc.tuple(key, value).map(([name, text]): Lines => [`${name}: ${text}`]),
        fc
          .tuple(key, note, gap, tie('block'), mostly([2, 2, 2, 1, 4], [0]))
          .map(([name, behind, between, lines, by]): Lines => {
            return [`${name}:${behind}`, ...between, ...indented(lines, by)];
          }),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((entries) => entries.flat()),
  list: fc
    .array(
      fc.oneof(
        { depthSize: 'small' },
        value.map((text): Lines => [`- ${text}`]),
        fc.tuple(tie('block'), fc.constantFrom(1, 1, 3)).map(([lines, spaces]): Lines => {
          const [first = '', ...others] = lines;
          return [`-${' '.repeat(spaces)}${first}`, ...indented(others, spaces + 1)];
        }),
        tie('map').map((lines): Lines => ['-', ...indented(lines, 2)]),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((items) => items.flat()),
}));

const piece = fc.constantFrom(
  ...[
    [' ', '  ', '\n', '#', ':', ': ', '- ', '"', "'", '&l ', '*l', '|', '{', ']', ',', '?', '!'],
    ['\t', '\r', '\uFEFF', '\u2028', '\u0085', '\u00A0', '...', 'x'],
  ].flat(),
);

/** Documents of maps, lists and values of a line; with some of them something is wrong. */
export const blockYaml: fc.Arbitrary<string> = fc
  .tuple(
    block,
    fc.constantFrom('', '', '---\n', '--- # c\n', '# c\n', '---'),
    fc.oneof(fc.constant([]), fc.array(fc.tuple(fc.nat(), fc.nat(1), piece), { maxLength: 2 })),
    fc.constantFrom('\n', '\n', '\r\n'),
    fc.constantFrom('\n', ''),
  )
  .map(([lines, head, changes, newline, end]) => {
    const text = changes.reduce((old, [where, cut, added]) => {
      const at = where % (old.length + 1);
      return old.slice(0, at) + added + old.slice(at + cut);
    }, lines.join('\n'));
    return `${head}${text}${end}`.replaceAll(/(?<!\r)\n/g, newline);
  });
