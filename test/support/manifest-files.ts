import * as fc from 'fast-check';

/** A file as text, and the references that stand in it. */
export interface ManifestFile {
  readonly text: string;
  readonly references: readonly string[];
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
const reference = fc
  .tuple(
    fc.constantFrom('', 'r.io/', 'r.io:5000/team/', 'docker.io/'),
    word,
    fc.constantFrom('', ':1', ':v1.2-x', ':latest'),
  )
  .map((parts) => parts.join(''));
const comment = fc.constantFrom('', '', ' # a note', '   # ü # {{ x }} "', '\t# tab', ' ');

/** An `image:` line in each way that YAML knows; `pad` is the indentation of the key. */
const WRITTEN: readonly ((image: string, comment: string, pad: string) => string)[] = [
  (image, note) => `image: ${image}${note}`,
  (image, note) => `image: '${image}'${note}`,
  (image, note) => `image: "${image}"${note}`,
  (image, note) => `"image":   ${image}${note}`,
  (image, note) => `image: !!str ${image}${note}`,
  (image, note, pad) => `image:${note}\n${pad}    ${image}`,
  (image, note, pad) => `image: |-${note}\n${pad}    ${image}`,
  (image, _, pad) => `image: >-\n${pad}    ${image}\n`,
];

const container = fc.tuple(reference, comment, fc.nat(WRITTEN.length), word, comment);

interface Part {
  readonly text: string;
  readonly references: readonly string[];
}

const containers = fc.array(container, { minLength: 1, maxLength: 4 }).chain((items) =>
  fc.boolean().map((isTight) => {
    const pad = isTight ? '  ' : '      ';
    const lines = items.map(([image, note, style, name, other], index) => {
      const write = WRITTEN[style];
      if (write === undefined) {
        return `${pad}- {name: ${name}${index}, image: ${image}}${other}`;
      }
      const field = write(image, note, `${pad}  `);
      return `${pad}- name: ${name}${index}${other}\n${pad}  ${field}\n${pad}  args: ["${image}", x]`;
    });
    return { text: lines.join('\n'), references: items.map(([image]) => image) };
  }),
);

const pod = fc.tuple(containers, comment).map(([part, note]): Part => {
  const head = `apiVersion: v1\nkind: Pod${note}\nmetadata: {name: p, labels: {a: 'x:1'}}\nspec:`;
  return { text: `${head}\n  containers:\n${part.text}\n`, references: part.references };
});
const deployment = containers.map((part): Part => {
  const head = '# top\nkind: Deployment\napiVersion: apps/v1\nspec:\n  template:\n    spec:';
  const body = part.text.replaceAll(/^/gm, '    ');
  return { text: `${head}\n      containers:\n${body}\n`, references: part.references };
});
const list = fc.array(reference, { maxLength: 3 }).map((references): Part => {
  const items = references.map((image) => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image }] } } } } },
  }));
  const value = { apiVersion: 'v1', kind: 'List', items };
  return { text: `${JSON.stringify(value, null, '\t')}\n`, references };
});
const other = fc.constantFrom('', '# nothing\n', 'kind: ConfigMap\ndata: {image: "nginx:1"}\n');
const part = fc.oneof(
  pod,
  deployment,
  list,
  other.map((text): Part => ({ text, references: [] })),
);

/** Files of Kubernetes YAML and JSON in many spellings. */
export const manifestFile: fc.Arbitrary<ManifestFile> = fc
  .tuple(
    fc.array(part, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('---\n', '--- # next\n', '...\n---\n'),
    fc.constantFrom('', '\uFEFF'),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([parts, separator, mark, isCrlf, isOpen]) => {
    const joined = mark + parts.map(({ text }) => text).join(separator);
    const text = isOpen ? joined.replace(/\n$/, '') : joined;
    return {
      text: isCrlf ? text.replaceAll('\n', '\r\n') : text,
      references: parts.flatMap(({ references }) => references),
    };
  });
