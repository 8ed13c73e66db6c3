import type { Registries } from '../contents/registries.ts';
import type { Streams } from '../files/streams.ts';
import type { SettingSources } from '../settings/setting.ts';
import type { CommandLineSettings } from './command-line-settings.ts';
import type { Interruption } from './interruption.ts';

/** What a command of the command line needs of the process. */
export interface CommandParts {
  readonly streams: Streams;
  /** Where settings may come from beside flags. */
  readonly environment: SettingSources['environment'];
  readonly version: string;
  readonly openRegistries: OpenRegistries;
  /** Runs what an interrupt must not cut in two, such as the writing of a file. */
  readonly uninterrupted: Interruption['uninterrupted'];
  /** Told how the command ended: 0, or 1 for findings and for what failed. */
  readonly end: (exitCode: 0 | 1) => void;
}

/** A user name and password, or a token, for one registry, from the command line. */
export type GivenCredential = {
  /** As references name it: `docker.io`, `registry.example.com:5000`. */
  readonly registry: string;
} & (
  | { readonly username: string; readonly password: string }
  /** Sent to the registry as it is. */
  | { readonly token: string }
);

/** Called when a command runs, as all of it takes its time to load. Rejects with `invalid_config`. */
type OpenRegistries = (
  settings: CommandLineSettings,
  credential?: GivenCredential,
) => Promise<Registries>;
