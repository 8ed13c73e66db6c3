import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { PinError } from '../../errors.ts';
import type { ImageReference } from '../../image/reference.ts';
import { describeError, type Logger } from '../../log.ts';
import { createReloaded, type See } from '../../reloaded.ts';
import {
  mergeRules,
  parseRegistriesConf,
  placesOf,
  type RegistryRule,
  type RuledPlace,
  ruleFor,
} from './registries-conf.ts';

/** A `registries.conf` with its drop-ins. */
export interface RegistriesConf {
  /**
   * Where a tag is asked for; undefined where nothing is said of the image. Throws
   * `blocked_address` for what the file blocks, `invalid_config` for what it makes no name of.
   */
  readonly placesOf: (reference: ImageReference) => readonly RuledPlace[] | undefined;
}

/**
 * Reads the file and the `*.conf` of `registries.conf.d` beside it, and again when they change.
 * Throws `invalid_config` where they cannot be read to begin with; later the last good ones serve.
 */
export function createRegistriesConf(file: string, log: Logger): RegistriesConf {
  const rules = createReloaded({
    read: (see) => readAll(file, see),
    observeFailure: (error) =>
      log.warn(
        { file, serves: 'the version before', ...describeError(error) },
        'registries.conf not used',
      ),
  });
  rules();
  return {
    placesOf: (reference) => {
      const rule = ruleFor(rules(), reference);
      if (rule === undefined) return undefined;
      if (!rule.blocked) return placesOf(rule, reference);
      const { registry } = reference;
      throw new PinError(
        'blocked_address',
        `${registry} is not asked: ${rule.file} blocks ${JSON.stringify(rule.prefix)}`,
        { host: registry },
      );
    },
  };
}

function readAll(file: string, see: See): readonly RegistryRule[] {
  const files = [file, ...dropInsOf(join(dirname(file), 'registries.conf.d'), see)];
  return mergeRules(files.map((path) => readOne(path, see)));
}

/** In the order of their names, as containers/image walks the directory; most systems have none. */
function dropInsOf(directory: string, see: See): readonly string[] {
  see(directory);
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((item) => !item.isDirectory() && item.name.endsWith('.conf'))
      .map(({ name }) => join(directory, name))
      .toSorted();
  } catch (caught) {
    if (Error.isError(caught) && 'code' in caught && caught.code === 'ENOENT') return [];
    throw new PinError('invalid_config', `Cannot read ${directory}`, { cause: caught });
  }
}

function readOne(file: string, see: See): readonly RegistryRule[] {
  see(file);
  try {
    return parseRegistriesConf(readFileSync(file, 'utf8'), file);
  } catch (caught) {
    const why = caught instanceof PinError ? `: ${caught.message}` : '';
    throw new PinError('invalid_config', `Cannot use ${file}${why}`, { cause: caught });
  }
}
