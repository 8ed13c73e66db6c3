import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SERVE_SETTINGS } from '../../src/config.ts';
import type { Setting } from '../../src/settings/setting.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'manifests', 'helm', 'values.schema.json');

/** Settings that the chart makes of values of their own. */
const OF_THE_CHART: ReadonlySet<string> = new Set([
  'listen',
  'operations-listen',
  'certificates',
  'tls-cert',
  'tls-key',
  'certificate-secret',
  'certificate-names',
  'webhook-configuration',
  'caller-token-file',
  'client-ca',
  'client-names',
  'kubeconfig',
  'no-cluster',
  'skip',
  'allow-skip-in-enforce',
  'extra-kind',
  'sibling-pins',
  'exempt-images',
  'audit-every',
  'events',
  'explain-in-dry-run',
  'installation-key-file',
  'snapshot',
  'shared-cache',
  'shared-cache-password-file',
  'shared-cache-ca',
]);

/** Shapes of values with commas between them. */
const LIST = /,…$|^(CLOUDS|GLOBS|NAMES|PATTERNS)$/;

interface Schema {
  readonly properties: { readonly settings: { properties: object } };
}

/** The schema of the chart's values, as it is written down. */
export function readChartSchema(): Schema {
  return JSON.parse(readFileSync(SCHEMA, 'utf8')) as Schema;
}

/** What the schema has to say of the value `settings`: every flag that the chart leaves to it. */
export function chartSettings(): Readonly<Record<string, object>> {
  const settings = Object.values<Setting<unknown>>(SERVE_SETTINGS).map((setting) => {
    const [name = '', shape] = setting.flag.replace(/^--/, '').split(' ');
    return [name, schemaOf(setting, shape)] as const;
  });
  return Object.fromEntries(settings.filter(([name]) => !OF_THE_CHART.has(name)));
}

/** What the server takes, by the shape of the value: what it would refuse at its start is refused before. */
const SHAPES: Readonly<Record<string, object>> = {
  DURATION: { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' },
  'HOST:PORT': {
    type: 'string',
    pattern: '^(off|(localhost|127\\.0\\.0\\.1|\\[::1\\]):[0-9]{1,5})$',
  },
  COUNT: { type: 'integer', minimum: 1000, maximum: 1_000_000 },
};

/** The same of what is listed. */
const ITEMS: Readonly<Record<string, object>> = {
  'CIDR,…': {
    type: 'string',
    pattern:
      '^([0-9]{1,3}(\\.[0-9]{1,3}){3}/([12]?[0-9]|3[0-2])|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*/([1-9]?[0-9]|1[01][0-9]|12[0-8]))$',
  },
  'HOST[:PORT],…': {
    type: 'string',
    pattern: '^(\\[[^\\]/\\s]+\\]|[^:/\\[\\]\\s]+)(:([0-9]{1,5}|\\*))?$',
  },
  'HOST[:PORT]=FILE,…': { type: 'string', pattern: '^[^=]+=.+$' },
  'GROUP/KIND,…': { type: 'string', pattern: '^[a-z0-9.-]*/[A-Z][A-Za-z0-9]*$' },
  CLOUDS: { enum: ['google', 'aws', 'azure'] },
};

function schemaOf({ text, parse }: Setting<unknown>, shape: string | undefined): object {
  if (shape === undefined) return { description: text, type: 'boolean' };
  if (LIST.test(shape)) {
    const items = ITEMS[shape] ?? { type: 'string', minLength: 1 };
    return { description: text, type: 'array', items };
  }
  const { choices } = parse;
  if (choices !== undefined) return { description: text, enum: choices };
  return { description: text, ...(SHAPES[shape] ?? { type: 'string', minLength: 1 }) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const schema = readChartSchema();
  schema.properties.settings.properties = chartSettings();
  writeFileSync(SCHEMA, `${JSON.stringify(schema, undefined, 2)}\n`);
}
