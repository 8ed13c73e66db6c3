import { type JsonObject, objectAt, textOf } from '../json.ts';
import { commandOf } from '../shell.ts';
import { valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Remedy } from './finding.ts';

/** How what is missing of an installation comes back: as it was installed. */
export function reinstalling({ deployment, installation }: Facts): Remedy {
  const release = releaseOf(valueOf(deployment));
  if (release === undefined) {
    // Which folder that was nobody knows here.
    return { advice: 'apply your kustomization again, with kubectl apply -k and its folder' };
  }
  const manifest = commandOf(
    'helm',
    'get',
    'manifest',
    release,
    '--namespace',
    installation.namespace,
  );
  return {
    advice: 'apply the objects of the Helm release again',
    command: `${manifest} | kubectl apply --filename -`,
  };
}

/** The same in one sentence. */
export function reinstallingAdvice(facts: Facts): string {
  const { advice = '', command } = reinstalling(facts);
  return command === undefined ? advice : `${advice}: ${command}`;
}

/** What shows the log of tagpin. */
export function logCommand({ installation }: Facts, ...more: readonly string[]): string {
  const { namespace } = installation;
  return commandOf('kubectl', 'logs', '--namespace', namespace, 'deployment/tagpin', ...more);
}

/** The name that Helm writes beside whatever it makes. */
function releaseOf(object: JsonObject | undefined): string | undefined {
  return textOf(objectAt(object, ['metadata', 'annotations']), 'meta.helm.sh/release-name');
}
