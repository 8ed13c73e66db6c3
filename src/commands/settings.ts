import { type Command, Option } from 'commander';

import {
  readSettings,
  type Setting,
  type SettingSources,
  type Settings,
  variableOf,
} from '../settings/setting.ts';

/** Adds an option for each setting of a table, with its help. */
export function addSettings<T>(command: Command, settings: Settings<T>): void {
  for (const setting of Object.values<Setting<unknown>>(settings)) {
    const option = new Option(optionFlag(setting), describe(setting));
    SETTING_CHOICES.set(option, setting.parse.choices ?? []);
    command.addOption(option);
  }
}

/** Of options that settings are made of: those check for themselves what else is written. */
const SETTING_CHOICES: WeakMap<Option, readonly string[]> = new WeakMap();

/** What an option's value is to be chosen from; nothing where it may be anything. */
export function choicesOf(option: Option): readonly string[] {
  return option.argChoices ?? SETTING_CHOICES.get(option) ?? [];
}

/** `--cache-ttl DURATION` as commander writes it. */
function optionFlag({ flag }: Setting<unknown>): string {
  return flag.replace(/ (.+)$/, ' <$1>');
}

function describe(setting: Setting<unknown>): string {
  const { flag, text, fallback = '' } = setting;
  // A flag without a value is off by default; `--no-cluster` would else seem to be on.
  const standard = fallback === '' || !flag.includes(' ') ? '' : ` Default: ${fallback}.`;
  return `${text}${standard} [${variableOf(setting)}]`;
}

/** The settings of a command line that was parsed; throws one `invalid_config` for all problems. */
export function settingsOf<T>(
  command: Command,
  settings: Settings<T>,
  environment: SettingSources['environment'],
): T {
  const flags: Record<string, string> = {};
  for (const name of Object.keys(settings)) {
    if (command.getOptionValueSource(name) === 'cli')
      flags[name] = String(command.getOptionValue(name));
  }
  return readSettings(settings, { flags, environment });
}
