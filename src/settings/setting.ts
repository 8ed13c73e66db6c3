import { PinError } from '../errors.ts';

/** One row of the table: flag, variable, help and documentation all come from it. */
export interface Setting<T> {
  /** The flag with the shape of its value: `--cache-ttl DURATION`. */
  readonly flag: string;
  /** The value in the spelling of the flag; undefined where there is none. */
  readonly fallback: string | undefined;
  readonly text: string;
  readonly parse: Parse<T>;
}

export interface Parse<T> {
  /** Throws an Error whose message says what was expected. */
  (text: string): T;
  /** What is to be chosen from, where that is all there is. */
  readonly choices?: readonly string[];
}

export type Settings<T> = { readonly [K in keyof T]: Setting<T[K]> };

/** The environment variable of a setting: `--cache-ttl` is `TAGPIN_CACHE_TTL`. */
export function variableOf(setting: Setting<unknown>): string {
  const name = setting.flag.split(' ')[0] ?? '';
  return `TAGPIN_${name
    .replace(/^--(no-)?/, '')
    .replaceAll('-', '_')
    .toUpperCase()}`;
}

/** Where a value may come from: flags first, then the environment, then the table. */
export interface SettingSources {
  /** By the name of the setting; the value as text. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reads all settings; throws one `invalid_config` that names every problem. */
export function readSettings<T>(settings: Settings<T>, sources: SettingSources): T {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const text =
      sources.flags[name] ?? sources.environment[variableOf(setting)] ?? setting.fallback;
    try {
      values[name] = text === undefined ? undefined : setting.parse(text);
    } catch (caught) {
      const flag = setting.flag.split(' ')[0];
      problems.push(
        `${flag} (${variableOf(setting)}): ${Error.isError(caught) ? caught.message : String(caught)}`,
      );
    }
  }
  if (problems.length > 0) {
    throw new PinError(
      'invalid_config',
      `Cannot start with these settings: ${problems.join('; ')}`,
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop set every name of T
  return Object.freeze(values) as T;
}
