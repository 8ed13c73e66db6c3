import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { readResourceList } from '../../src/krm/resource-list.ts';

const HEAD = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList';
const RESULTS = [{ message: 'one\ntwo', severity: 'error' }] as const;
const OLD = '\nresults:\n  - message: old\n    severity: info\n';

describe('readResourceList()', () => {
  it.each([
    ['YAML', `# head\n${HEAD} # kind\nitems: [] # none\n`],
    ['YAML without items', HEAD],
    ['YAML with older results', `${HEAD}${OLD}items: []\n# end\n`],
    ['YAML with results at its end', `${HEAD}\nitems: []${OLD}`],
    ['YAML with empty results', `${HEAD}\nresults: []\nitems: []\n`],
    ['YAML with results that are null', `${HEAD}\nresults:\nitems: []\n`],
    ['YAML of Windows', `${HEAD}\nitems: []\n`.replaceAll('\n', '\r\n')],
    ['indented YAML', `---\n  ${HEAD.replace('\n', '\n  ')}\n  items: []\n`],
    ['a List', 'kind: List\napiVersion: v1\nitems: []\n'],
    ['JSON', '{"kind": "ResourceList",\n "items": []}\n'],
    ['JSON with older results', '{"results": [{"message": "a"}], "kind": "ResourceList"}'],
  ])('writes its results, and leaves all else: %s', (_, text) => {
    const { written } = readResourceList(text);
    const after = written([], RESULTS);
    expect(parse(after)).toEqual({ ...parse(text), results: RESULTS });
    const others = text
      .split(/\r?\n/)
      .filter((line) => /head|# kind|none|# end|items: /.test(line));
    expect(others.filter((line) => !after.includes(line))).toEqual([]);
  });

  it('changes nothing where there is nothing to tell', () => {
    const text = `${HEAD}\nitems: []\n`;
    expect(readResourceList(text).written([], [])).toBe(text);
    const { results } = parse(readResourceList(`${HEAD}${OLD}items: []\n`).written([], []));
    expect(results).toEqual([]);
  });

  it.each([
    ['nothing', '', 'expected one document'],
    ['an object', 'kind: Pod\n', 'expected one document'],
    ['two lists', `${HEAD}\n---\n${HEAD}\n`, 'expected one document'],
    ['items of another form', `${HEAD}\nitems: {a: b}\n`, 'items are no list'],
    ['no YAML', `${HEAD}\nitems: [\n`, 'line 4, column 1'],
  ])('refuses %s', (_, text, message) => {
    expect(() => readResourceList(text)).toThrow(
      expect.objectContaining({
        code: 'invalid_config',
        message: expect.stringContaining(message),
      }),
    );
  });
});
