import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { type Metric, Registry } from 'prom-client';
import { parse } from 'yaml';

import type { ResolvedImage } from '../src/admission/ports.ts';
import type { AdmissionReport } from '../src/admission/report.ts';
import { SERVE_SETTINGS } from '../src/config.ts';
import { PinError } from '../src/errors.ts';
import type { ImageReference } from '../src/image/reference.ts';
import { createMetrics } from '../src/server/metrics.ts';
import { logReview, logVerdict } from '../src/server/review-log.ts';
import type { Setting } from '../src/settings/setting.ts';
import * as annotations from '../src/workload/annotations.ts';

import { Admission, digest } from './support/admission.ts';
import { objectOf, POD, reviewOf, specOf } from './support/review.ts';

const ROOT = join(import.meta.dirname, '..');

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The first cells of the first table behind a text of a page, without their code marks. */
function firstCellsBehind(page: string, text: string): string[] {
  const rest = read(page).split(text)[1] ?? '';
  const [, rows = ''] = /\n\|---.*\n((?:\|.*\n)+)/.exec(rest) ?? [];
  return [...rows.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);
}

/** A metric as its maker described it; prom-client's own types tell less. */
interface Described {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** One row for each metric of ours, in the order of their names. */
async function metricRows(): Promise<string[]> {
  const register = jest.spyOn(Registry.prototype, 'registerMetric');
  const metrics = createMetrics({
    version: '0',
    cacheEntries: () => 0,
    lostLogBytes: () => 0,
    now: () => 0,
  });
  const described = register.mock.calls.map(([metric]: [Metric]) => metric as unknown as Described);
  register.mockRestore();
  const text = await metrics.text();
  const types = new Map(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, a = '', b]) => [a, b]),
  );
  return described
    .filter(({ name }) => name.startsWith('tagpin_'))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, help, labelNames }) => {
      const labels = labelNames.map((label) => `\`${label}\``).join(', ') || '–';
      return `| \`${name}\` | ${types.get(name)} | ${labels} | ${help} |`;
    });
}

describe('docs/metrics.md', () => {
  it('has every metric of ours, with type, labels and help', async () => {
    const [, section = ''] = read('docs/metrics.md').split('## All metrics');
    const [written = ''] = section.split('\n## ');
    expect(written.split('\n').filter((line) => line.startsWith('| `'))).toEqual(
      await metricRows(),
    );
  });
});

interface Rules {
  readonly spec: { readonly groups: readonly { readonly rules: readonly { alert?: string }[] }[] };
}

describe('docs/metrics.md, of alerts,', () => {
  it('says of each what to do, and of no other', () => {
    const { groups } = (
      parse(read('manifests/helm/files/monitoring/prometheus-rule.yaml')) as Rules
    ).spec;
    const shipped = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
    const [, section = ''] = read('docs/metrics.md').split('\n## Alerts\n');
    const [table = ''] = section.split('\n## ');
    const told = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(new Set(told)).toEqual(new Set(shipped));
  });
});

/** Dotted names of all values, sections too. */
function valueNames(value: unknown, prefix: string = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    `${prefix}${key}`,
    ...valueNames(inner, `${prefix}${key}.`),
  ]);
}

describe('docs/helm.md', () => {
  it('names values that the chart has', () => {
    const text = read('docs/helm.md');
    const known = new Set(valueNames(parse(read('manifests/helm/values.yaml'))));
    const sections = [...known].filter((name) => !name.includes('.'));
    const named = [
      ...[...text.matchAll(/--set(?:-file)? ([\w.]+)=/g)].map(([, name = '']) => name),
      ...[...text.matchAll(/`(\w+(?:\.\w+)+)(?:: [^`]*)?`/g)]
        .map(([, name = '']) => name)
        .filter((name) => sections.includes(name.split('.')[0] ?? '')),
    ];
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

interface SettingsSchema {
  readonly properties: { readonly settings: { readonly properties: object } };
}

describe('docs/helm.md, of flags that are not in `settings`,', () => {
  it('has each, and no other', () => {
    const text = read('manifests/helm/values.schema.json');
    const { properties } = (JSON.parse(text) as SettingsSchema).properties.settings;
    const flags = Object.values<Setting<unknown>>(SERVE_SETTINGS).map(({ flag }) => flag);
    const names = flags.map((flag) => flag.replace(/ .*/, ''));
    const expected = names.filter((name) => !Object.hasOwn(properties, name.slice(2)));
    const [, part = ''] = read('docs/helm.md').split('\n## Flags that are not in `settings`\n');
    const rows = [...(part.split('\n## ')[0] ?? '').matchAll(/^\| (`--.*?) \| /gm)];
    const told = rows.flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', '));
    expect(told.toSorted()).toEqual(expected.toSorted());
  });
});

/** The fields of the one line that is logged. */
function fieldsOf(write: (log: Parameters<typeof logReview>[0]) => void): Record<string, unknown> {
  const lines: Record<string, unknown>[] = [];
  const keep = (fields: Readonly<Record<string, unknown>>): void => void lines.push({ ...fields });
  write({ info: keep, warn: keep, error: keep });
  expect(lines).toHaveLength(1);
  return lines[0] ?? {};
}

/** The last known digest, or a failure. */
function oldUnlessBad({ repository }: ImageReference): ResolvedImage | PinError {
  if (repository.includes('bad')) return new PinError('not_found', 'no');
  return { digest: digest('a'), host: 'docker.io', stale: true, ageMs: 1000 };
}

describe('docs/log.md', () => {
  const object = objectOf(POD, { spec: specOf({ web: 'nginx:1' }) });
  const review = reviewOf(POD, { object });
  const image: AdmissionReport['images'][number] = {
    container: 'web',
    outcome: 'failed',
    reason: 'unavailable',
    registry: 'docker.io',
    original: 'nginx:1',
    digest: undefined,
    stale: true,
    ms: 1,
    phases: { secretMs: 1, queueMs: 1, tokenMs: 1, manifestMs: 1 },
  };
  const report = {
    mode: 'pin',
    kind: 'Pod',
    review,
    outcome: 'failed',
    images: [image],
    ms: 1,
  } as const;

  it('has the fields of the line of a review, and of its images', () => {
    const fields = fieldsOf((log) => logReview(log, report));
    expect(firstCellsBehind('docs/log.md', '`"msg":"review"`')).toEqual(Object.keys(fields));
    const [first = {}] = fields['images'] as readonly object[];
    expect(firstCellsBehind('docs/log.md', 'and of each image')).toEqual(Object.keys(first));
  });

  it('has the fields of the line of a verdict', () => {
    const verdict = { review, outcome: 'denied', refused: 1 } as const;
    const fields = fieldsOf((log) => logVerdict(log, verdict));
    expect(firstCellsBehind('docs/log.md', '`"msg":"verdict"`')).toEqual(Object.keys(fields));
  });

  it('has the words of the audit annotation', () => {
    const both = objectOf(POD, { spec: specOf({ web: 'nginx:1', bad: 'bad:1' }) });
    const { response } = new Admission({}, { resolve: oldUnlessBad }).review(POD, { object: both });
    const words = (response.auditAnnotations?.images ?? '').matchAll(/(\w+)=/g);
    expect(firstCellsBehind('docs/log.md', '`WEBHOOK/images`')).toEqual([
      ...new Set([...words].map(([, word = '']) => word)),
    ]);
  });

  it('names Events as they are written', () => {
    const source = read('src/kube/events.ts');
    const [, reason] = /REASON = '(\w+)'/.exec(source) ?? [];
    const [, component] = /reportingComponent: '([^']+)'/.exec(source) ?? [];
    const [, type] = /\btype: '(\w+)'/.exec(source) ?? [];
    for (const word of [reason, component, type])
      expect(read('docs/log.md')).toContain(`\`${word}\``);
  });
});

interface Policy {
  readonly spec: {
    readonly variables: readonly { readonly name: string; readonly expression: string }[];
  };
}

/** Labels of a Namespace, each with its values, as the policy knows them. */
function knownLabels(): Readonly<Record<string, readonly string[]>> {
  const file = 'manifests/helm/files/policies/namespace-labels.yaml';
  const { variables } = (parse(read(file)) as Policy).spec;
  const known = variables.find(({ name }) => name === 'known')?.expression ?? '';
  return JSON.parse(known.replaceAll("'", '"')) as Record<string, readonly string[]>;
}

describe('docs/configuration.md', () => {
  it('has every label and annotation, and no other', () => {
    const heading = '## Labels and annotations';
    const [, table = ''] = read('docs/configuration.md').split(heading);
    const named = [...table.matchAll(/^\| [^|]+ \| `([\w./-]+)(?:: \w+)?` \|/gm)].map(
      ([, name = '']) => name,
    );
    const ours = Object.values(annotations).filter(
      (name): name is string => typeof name === 'string' && /^tagpin\.dev\/./.test(name),
    );
    const all = new Set([...Object.keys(knownLabels()), ...ours]);
    expect(named.toSorted()).toEqual([...all].toSorted());
    for (const value of Object.values(knownLabels()).flat()) {
      expect(table).toMatch(new RegExp(`\`(?:[\\w./-]+: )?${value}\``));
    }
  });
});
