import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { SERVE_SETTINGS } from '../../src/config.ts';
import { isJsonObject } from '../../src/json.ts';
import type { Setting } from '../../src/settings/setting.ts';
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

/** As much of JSON Schema as the settings use. */
interface SettingSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: SettingSchema;
}

/** Values of settings, or of one item of them. Bounds of durations are not the schema's: e2e/chart.e2e.ts has them. */
const CANDIDATES = [
  '60|60s|1h30m|1h 30m|500ms|h|1d|999|1000|1000000|1000001',
  'off|localhost:6060|127.0.0.1:6060|[::1]:6060|0.0.0.0:6060|127.0.0.1',
  '10.0.0.0/8|10.0.0.0/33|10.0.0.1|fd00::/8|::1/128|::1/129|fe80::1%eth0/64',
  'example.com/Database|/Pod|Database|example.com/database|host=/file|host',
  'google|oracle|docker.io|refuse|digest|restart|info|/path|',
].flatMap((values) => values.split('|'));

function takes(schema: SettingSchema, text: string): boolean {
  const { enum: choices, pattern, minLength = 0, minimum = 0, maximum = Infinity } = schema;
  if (schema.type === 'integer') {
    return /^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum;
  }
  const isChosen = choices === undefined || choices.includes(text);
  return (
    isChosen &&
    text.length >= minLength &&
    (pattern === undefined || new RegExp(pattern).test(text))
  );
}

function parses(setting: Setting<unknown>, text: string): boolean {
  try {
    const value = setting.parse(text);
    // An empty item is none, and a lifetime that is too short a lifetime all the same.
    return !(Array.isArray(value) && value.length === 0);
  } catch (caught) {
    return setting.flag.includes('-lifetime ') && String(caught).includes('expected at least');
  }
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

  it.each(CANDIDATES)('takes %j for the settings whose parser takes it', (value) => {
    const schemas: Readonly<Record<string, SettingSchema>> = chartSettings();
    const differing = Object.values<Setting<unknown>>(SERVE_SETTINGS).flatMap((setting) => {
      const [name = ''] = setting.flag.replace(/^--/, '').split(' ');
      const schema = schemas[name];
      if (schema === undefined || schema.type === 'boolean') return [];
      return takes(schema.items ?? schema, value) === parses(setting, value) ? [] : [name];
    });
    expect(differing).toEqual([]);
  });

  it('counts with the lifetimes of certificates that are the default', () => {
    const text = readFileSync(join(CHART, 'templates', 'contradictions.yaml'), 'utf8');
    const { certificateLifetime, authorityLifetime, drainTime } = SERVE_SETTINGS;
    expect(
      [...text.matchAll(/"([a-z-]+)" \| default "(\w+)"/g)].map(([, ...said]) => said),
    ).toEqual([
      ['certificate-lifetime', certificateLifetime.fallback],
      ['authority-lifetime', authorityLifetime.fallback],
      ['drain-time', drainTime.fallback],
    ]);
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
