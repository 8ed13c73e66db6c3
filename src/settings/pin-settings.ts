import type { ReferenceForm } from '../image/reference.ts';
import type { Settings } from './setting.ts';
import { choiceOf, parseBoolean, parseKinds, parseList } from './values.ts';

/** What resolves the originals of a template again. */
type RefreshPolicy = 'restart' | 'annotation' | 'rollout' | 'never';

/** What `tagpin serve` pins, how, and when anew. */
export interface PinSettings {
  readonly referenceForm: ReferenceForm;
  readonly skip: readonly string[];
  readonly allowSkipInEnforce: boolean;
  readonly skipOwner: readonly string[];
  readonly extraKind: readonly string[];
  readonly refreshPolicy: RefreshPolicy;
  readonly siblingPins: boolean;
}

export const PIN_SETTINGS: Settings<PinSettings> = {
  referenceForm: {
    flag: '--reference-form FORM',
    fallback: 'digest',
    text: 'What is written: "digest" (repo@sha256:…) or "tag-and-digest" (repo:tag@sha256:…).',
    parse: choiceOf<ReferenceForm>('digest', 'tag-and-digest'),
  },
  skip: {
    flag: '--skip GLOBS',
    fallback: 'kind.local/*,ko.local/*,dev.local/*,localhost/*,localhost:*/*',
    text: 'Images never looked up: globs on the normalised name (docker.io/library/nginx), with * for any text.',
    parse: parseList,
  },
  allowSkipInEnforce: {
    flag: '--allow-skip-in-enforce',
    fallback: 'false',
    text: 'Honour the skip annotation in namespaces of mode "enforce" too; the policy must as well (component skip-in-enforce).',
    parse: parseBoolean,
  },
  skipOwner: {
    flag: '--skip-owner GROUP/KIND,…',
    fallback:
      'postgresql.cnpg.io/Cluster,operators.coreos.com/CatalogSource,nifi.konpyutaika.com/NifiCluster',
    text: 'Controllers whose Pods are left alone, because they compare the images of their Pods and make anew what differs.',
    parse: parseKinds,
  },
  extraKind: {
    flag: '--extra-kind GROUP/KIND=PATH,…',
    fallback: '',
    text: 'Custom resources to pin too, with the way to their pod template: argoproj.io/Rollout=spec.template. The webhook configuration must name them as well.',
    parse: parseList,
  },
  refreshPolicy: {
    flag: '--refresh-policy POLICY',
    fallback: 'restart',
    text: 'What resolves the tags of a template again: "restart" (kubectl rollout restart, or tagpin.dev/refresh), "annotation" (that alone), "rollout" (any change that starts a rollout) or "never".',
    parse: choiceOf<RefreshPolicy>('restart', 'annotation', 'rollout', 'never'),
  },
  siblingPins: {
    flag: '--sibling-pins BOOLEAN',
    fallback: 'true',
    text: 'Give a new Pod whose template has a tag the digest that its siblings of the same revision run. tagpin has to list Pods for that.',
    parse: parseBoolean,
  },
};
