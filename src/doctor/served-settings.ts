import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import { PinError } from '../errors.ts';
import { isJsonObject, type JsonObject, listOf, objectAt, textOf } from '../json.ts';
import {
  readSettings,
  type Setting,
  type SettingSources,
  variableOf,
} from '../settings/setting.ts';

/** What a Deployment tells `tagpin serve`. */
export interface ServedSettings {
  /** What it does not say, and what cannot be read of it, is as the table of settings has it. */
  readonly settings: ServeSettings;
  /** Which flags cannot be read, and why; undefined where all can. */
  readonly problem: string | undefined;
}

/** Reads what a Deployment says, as far as it can be read: the defaults where there is none. */
export function servedSettings(deployment: JsonObject | undefined): ServedSettings {
  const container = containerOf(deployment);
  const sources = {
    flags: container === undefined ? {} : flagsIn(container),
    environment: container === undefined ? {} : variablesIn(container),
  };
  try {
    return { settings: readSettings(SERVE_SETTINGS, sources), problem: undefined };
  } catch (caught) {
    if (!(caught instanceof PinError)) throw caught;
    const settings = readSettings(SERVE_SETTINGS, readableOf(sources));
    return { settings, problem: caught.message };
  }
}

/** The container of tagpin; undefined where none was seen. */
export function containerOf(deployment: JsonObject | undefined): JsonObject | undefined {
  const spec = objectAt(deployment, ['spec', 'template', 'spec']);
  return spec && listOf(spec, 'containers').find(isJsonObject);
}

/** Texts by names. */
type Texts = Readonly<Record<string, string>>;

const SETTINGS: readonly (readonly [name: string, setting: Setting<unknown>])[] =
  Object.entries<Setting<unknown>>(SERVE_SETTINGS);

function variablesIn(container: JsonObject): Texts {
  const variables = listOf(container, 'env').filter(isJsonObject);
  return Object.fromEntries(
    variables.flatMap((variable): [string, string][] => {
      const [name, value] = [textOf(variable, 'name'), textOf(variable, 'value')];
      return name === undefined || !isWhole(value) ? [] : [[name, value]];
    }),
  );
}

/** `--name=value`, `--name value`, and `--name`, by the names of settings. */
function flagsIn(container: JsonObject): Texts {
  const words = listOf(container, 'args').filter((word) => typeof word === 'string');
  return Object.fromEntries(
    words.flatMap((word, index): [string, string][] => {
      const [, flag = '', given] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
      const [name, setting] = SETTINGS.find(([, one]) => one.flag.split(' ')[0] === flag) ?? [];
      if (name === undefined || setting === undefined) return [];
      const takesValue = setting.flag.includes(' ');
      const value = takesValue ? (given ?? words[index + 1]) : String(!flag.startsWith('--no-'));
      return isWhole(value) ? [[name, value]] : [];
    }),
  );
}

/** Whether nothing of a value comes from elsewhere: the kubelet puts variables into `$(NAME)`. */
function isWhole(value: string | undefined): value is string {
  return value !== undefined && !value.includes('$(');
}

function readableOf({ flags, environment }: SettingSources): SettingSources {
  const ofFlags = SETTINGS.filter(([name, setting]) => isReadable(setting, flags[name]));
  const ofVariables = SETTINGS.map(([, setting]) => setting)
    .filter((setting) => isReadable(setting, environment[variableOf(setting)]))
    .map(variableOf);
  return {
    flags: Object.fromEntries(ofFlags.map(([name]) => [name, flags[name]])),
    environment: Object.fromEntries(ofVariables.map((name) => [name, environment[name]])),
  };
}

function isReadable({ parse }: Setting<unknown>, text: string | undefined): boolean {
  try {
    return text !== undefined && parse(text) !== null;
  } catch {
    // What is wrong with it is in the problem.
    return false;
  }
}
