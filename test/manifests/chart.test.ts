import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { isJsonObject } from '../../src/json.ts';
import { chartSettings, readChartSchema } from '../support/chart-settings.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..');
const CHART = join(CHECKOUT, 'manifests', 'helm');

function readYaml(file: string): unknown {
  return parse(readFileSync(join(CHART, file), 'utf8'));
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, ObjectSchema>>;
  readonly additionalProperties?: unknown;
}

/** The ways to all values that a schema knows, but those below `settings`. */
function known(schema: ObjectSchema, way: string): string[] {
  const { properties } = schema;
  if (properties === undefined || way === '.settings') return [way];
  return Object.entries(properties).flatMap(([name, below]) => known(below, `${way}.${name}`));
}

/** The ways to all values of a file, as deep as the schema knows them. */
function written(value: unknown, ways: ReadonlySet<string>, way: string): string[] {
  if (ways.has(way) || !isJsonObject(value)) return [way];
  return Object.entries(value).flatMap(([name, below]) => written(below, ways, `${way}.${name}`));
}

describe('the chart', () => {
  it('has one version with the program, and its oldest Kubernetes is that of the documentation', () => {
    const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(readYaml('Chart.yaml')).toMatchObject({
      version,
      appVersion: version,
      kubeVersion: '>=1.30.0-0',
    });
    const install = readFileSync(join(CHECKOUT, 'docs', 'install.md'), 'utf8');
    expect(install).toContain('You need Kubernetes 1.30 or later');
  });

  it('takes every setting of the server that it has no value for (node test/support/chart-settings.ts)', () => {
    expect(readChartSchema().properties.settings.properties).toEqual(chartSettings());
  });

  it('has a default for each value of its schema, and no others', () => {
    const schema = readChartSchema() as ObjectSchema;
    const ways = known(schema, '').filter((way) => way !== '.global');
    expect(written(readYaml('values.yaml'), new Set(ways), '').toSorted()).toEqual(ways.toSorted());
  });

  it('refuses what is not in its schema, at every level that has names of its own', () => {
    const open: string[] = [];
    const look = (schema: ObjectSchema, way: string): void => {
      if (schema.properties === undefined) return;
      if (schema.additionalProperties !== false) open.push(way);
      for (const [name, below] of Object.entries(schema.properties)) look(below, `${way}.${name}`);
    };
    look(readChartSchema() as ObjectSchema, '');
    expect(open).toEqual([]);
  });
});
