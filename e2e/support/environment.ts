import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Registry } from './registry.ts';
import type { Ports } from './serving.ts';

/** What the set-up started and the tests use. Paths are absolute. */
export interface Environment {
  /** The directory of the run: logs and process ids. */
  readonly directory: string;
  /** The kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  readonly registry: Registry;
  readonly privateRegistry: Registry;
  readonly webhook: WebhookAddress;
}

/** Where the API server expects the webhook, and as whom it runs. */
export interface WebhookAddress extends Ports {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly kubeconfig: string;
}

// The set-up and the tests run in different realms of one process: its environment is what they
// share.
const VARIABLE = 'TAGPIN_E2E_DIRECTORY';

/** Hands the environment to the tests of this process. */
export function publishEnvironment(environment: Environment): void {
  writeFileSync(join(environment.directory, 'environment.json'), JSON.stringify(environment));
  process.env[VARIABLE] = environment.directory;
}

/** @throws Error when the tests run without their set-up */
export function readEnvironment(): Environment {
  const directory = process.env[VARIABLE];
  if (directory === undefined) throw new Error('Run these tests with: npm run test:e2e');
  return JSON.parse(readFileSync(join(directory, 'environment.json'), 'utf8')) as Environment;
}
