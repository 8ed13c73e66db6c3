import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SERVE_SETTINGS } from '../../src/config.ts';
import type { Setting } from '../../src/setting.ts';

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

function schemaOf({ text, parse }: Setting<unknown>, shape: string | undefined): object {
  if (shape === undefined) return { description: text, type: 'boolean' };
  const items = { type: 'string', minLength: 1 };
  if (LIST.test(shape)) return { description: text, type: 'array', items };
  const { choices } = parse;
  if (choices !== undefined) return { description: text, enum: choices };
  return { description: text, type: shape === 'COUNT' ? 'integer' : 'string' };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const schema = readChartSchema();
  schema.properties.settings.properties = chartSettings();
  writeFileSync(SCHEMA, `${JSON.stringify(schema, undefined, 2)}\n`);
}
