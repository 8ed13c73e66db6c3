import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { IMAGE_OUTCOMES } from '../src/admission/policy.ts';
import { SERVE_SETTINGS } from '../src/config.ts';
import { ERROR_RULES } from '../src/error-codes.ts';
import { createMetrics } from '../src/server/metrics.ts';
import { type Setting, variableOf } from '../src/settings/setting.ts';

import { cliPage } from './support/cli-page.ts';

const ROOT = join(import.meta.dirname, '..');

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The first cells of the rows of all tables, without their code marks. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell ?? '');
}

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

describe('docs/configuration.md', () => {
  it('has exactly the settings of the table, with variable, default and text', () => {
    const rows = Object.values<Setting<unknown>>(SERVE_SETTINGS).map((setting) => {
      const standard = setting.fallback ? `\`${setting.fallback}\`` : '–';
      return `| \`${setting.flag}\` | \`${variableOf(setting)}\` | ${standard} | ${setting.text} |`;
    });
    const written = read('docs/configuration.md')
      .split('\n')
      .filter((line) => line.startsWith('| `--'));
    expect(written).toEqual(rows);
  });
});

describe('the settings in YAML of the pages', () => {
  const written = PAGES.flatMap((page) =>
    [...read(page).matchAll(/^ *(?:- |value: )(--[a-z-]+)=(.+)$/gm)].map(
      ([, flag = '', value = '']) => [page, flag, value] as const,
    ),
  );

  it.each(written)('%s: %s=%s can be used', (_, flag, value) => {
    const setting = Object.values<Setting<unknown>>(SERVE_SETTINGS).find(
      (one) => one.flag.split(' ')[0] === flag,
    );
    expect(setting).toBeDefined();
    expect(() => setting?.parse(value)).not.toThrow();
  });

  it('are more than a few', () => {
    expect(written.length).toBeGreaterThan(5);
  });
});

describe('docs/cli.md', () => {
  it('is what "npm run docs:cli" makes of the commands', async () => {
    expect(read('docs/cli.md')).toBe(await cliPage());
  });

  it('has every command, each with its options, examples and exit codes', () => {
    const sections = read('docs/cli.md').split('\n## tagpin ').slice(1);
    expect(sections.length).toBeGreaterThan(11);
    for (const section of sections.filter((text) => !/^(serve|completion)\n/.test(text))) {
      expect(section).toMatch(/\| `-|options of registries/);
      expect(section).toContain('\nExamples:\n');
      expect(section).toContain('\nExit codes: 0 ');
    }
  });
});

/** Those that print nothing to be shown: one serves, one is run by kustomize, one writes a script. */
const SHOWN_ELSEWHERE = ['serve', 'fn', 'completion'];

describe('README.md', () => {
  it('shows every command, typed and seen', () => {
    const commands = [...read('docs/cli.md').matchAll(/^## tagpin ([a-z]+)$/gm)].map(
      ([, name = '']) => name,
    );
    const blocks = [...read('README.md').matchAll(/^```console\n(.*?)^```$/gms)].join('\n');
    const missing = commands.filter((name) => !blocks.includes(`tagpin ${name} `));
    expect(missing).toEqual(SHOWN_ELSEWHERE);
    expect(blocks).toContain('kustomize build');
  });
});

describe('docs/troubleshooting.md', () => {
  it('has a row for every code, and no other', () => {
    const [, reasons = ''] = read('docs/troubleshooting.md').split('\n## Reasons\n');
    const codes = firstCells(reasons.split('\n## ')[0] ?? '');
    expect(codes.toSorted()).toEqual(Object.keys(ERROR_RULES).toSorted());
  });

  it('tells the HTTP status of each code that fails a whole review', () => {
    const failing = Object.entries(ERROR_RULES).filter(
      ([code, { httpStatus }]) => httpStatus !== 200 && code !== 'invalid_config',
    );
    const rows = failing.map(([code, { httpStatus }]) => `| \`${code}\` | ${httpStatus} | `);
    expect(rows.filter((row) => !read('docs/troubleshooting.md').includes(row))).toEqual([]);
  });
});

describe('docs/security.md', () => {
  it('names tests that exist, at least one for each threat', () => {
    const threats = read('docs/security.md').split('## Threats')[1]?.split('\n## ')[0] ?? '';
    const rows = threats.split('\n').filter((line) => /^\| (?!threat|---)/.test(line));
    const missing = rows.filter((row) => {
      const files = [...row.matchAll(/`(test\/[^`]+\.ts)`: ((?:"[^"]+"(?:; )?)+)/g)];
      const named = files.flatMap(([, file = '', titles = '']) =>
        [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title })),
      );
      const isThere = named.map(({ file, title }) => read(file).includes(title));
      return isThere.length === 0 || isThere.includes(false);
    });
    expect(rows.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });
});

describe('docs/metrics.md', () => {
  it('has a row for every outcome of an image, in their order', () => {
    const labels = read('docs/metrics.md').split('## Labels')[1] ?? '';
    expect(firstCells(labels)).toEqual([...IMAGE_OUTCOMES]);
  });

  it('asks for every metric of ours, and for none that does not exist', async () => {
    const metrics = createMetrics({
      version: '0',
      cacheEntries: () => 0,
      lostLogBytes: () => 0,
      now: () => 0,
    });
    const exported = [...(await metrics.text()).matchAll(/^# TYPE (tagpin_\w+)/gm)];
    const [questions = ''] = read('docs/metrics.md').split('## All metrics');
    const asked = [...questions.matchAll(/tagpin_[a-z_]+/g)];
    expect(new Set(asked.map(([text]) => text.replace(/_bucket$/, '')))).toEqual(
      new Set(exported.map(([, text]) => text)),
    );
  });
});

/** As GitHub makes them of headings, with a number behind what is there already. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const prose = text.replaceAll(/^ *```.*?^ *```$/gms, '');
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

describe('the pages', () => {
  it.each(PAGES)('%s links to files and headings that exist', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    const missing = links.filter(([, target = '', anchor]) => {
      const path = target === '' ? page : join(dirname(page), target);
      if (!existsSync(join(ROOT, path))) return true;
      return anchor !== undefined && !anchorsOf(read(path)).has(anchor);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });

  it('are all in docs/README.md, each in one of the four kinds', () => {
    const sections = read('docs/README.md').split('\n## ').slice(1);
    expect(sections.map((text) => text.split('\n')[0])).toEqual([
      'Tutorial',
      'How to',
      'Reference',
      'Explanation',
    ]);
    const listed = sections.flatMap((text) =>
      [...text.matchAll(/^- \[[^\]]+\]\(([a-z-]+\.md)\)/gm)].map(([, name = '']) => name),
    );
    const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    expect(listed.toSorted()).toEqual(pages.filter((name) => name !== 'README.md').toSorted());
  });

  it.each(PAGES)('%s calls only npm scripts that exist', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const called = [...read(page).matchAll(/npm (?:run )?(test|(?<=run )[a-z:]+)/g)].map(
      ([, name]) => name ?? '',
    );
    expect(page !== 'README.md' || called.length >= 3).toBe(true);
    expect(called.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('docs/checklist.md', () => {
  it('names tests that exist', () => {
    const rows = read('docs/checklist.md')
      .split('\n')
      .filter((line) => /^\| \d+ \|/.test(line));
    const named = rows.flatMap((row) =>
      [...row.matchAll(/`((?:test|e2e)\/[^`]+\.ts)`: ((?:"[^"]+"(?:; )?)+)/g)].flatMap(
        ([, file = '', titles = '']) =>
          [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title })),
      ),
    );
    expect(named.length).toBeGreaterThan(70);
    expect(named.filter(({ file, title }) => !read(file).includes(title))).toEqual([]);
  });
});
