import type { Command } from 'commander';

import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';
import type { CommandParts } from './command-parts.ts';
import { addSettings, settingsOf } from './settings.ts';
import { SUMMARIES } from './summaries.ts';

/** What `serve` needs of the process. */
export interface ServeCommandParts extends Pick<CommandParts, 'environment'> {
  readonly serve: (settings: ServeSettings) => Promise<void>;
}

/** Adds `tagpin serve`; what it runs is loaded when it runs. */
export function addServeCommand(program: Command, { serve, environment }: ServeCommandParts): void {
  const command = program
    .command('serve')
    .description(SUMMARIES.serve)
    .action(() => serve(settingsOf(command, SERVE_SETTINGS, environment)));
  addSettings(command, SERVE_SETTINGS);
}
