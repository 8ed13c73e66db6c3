import { type JsonObject, objectAt, textOf } from '../json.ts';
import { commandOf } from '../shell.ts';
import { valueOf } from './fact.ts';
import type { Facts } from './facts.ts';
import type { Remedy } from './finding.ts';

/** How what is missing of an installation comes back: as it was installed. */
export function reinstalling({ deployment, installation }: Facts): Remedy {
  const release = releaseOf(valueOf(deployment));
  if (release === undefined) {
    return {
      advice: 'apply your kustomization again, here of the folder deploy',
      command: 'kubectl apply -k deploy',
    };
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

/** The name that Helm writes beside whatever it makes. */
function releaseOf(object: JsonObject | undefined): string | undefined {
  return textOf(objectAt(object, ['metadata', 'annotations']), 'meta.helm.sh/release-name');
}
