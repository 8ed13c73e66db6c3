import { PinError } from '../errors.ts';
import { type JsonObject, textOf } from '../json.ts';

/** What a form asks, as it was typed. */
export interface ExplainFields {
  readonly namespace: string;
  readonly image: string;
  /** Empty: `default`. Does not count where pull secrets are named. */
  readonly serviceAccount: string;
  /** With commas between them; empty: those of the ServiceAccount. */
  readonly pullSecrets: string;
}

/** What is asked of the webhook's engine. */
export interface DebugQuestion {
  readonly namespace: string;
  readonly image: string;
  /** Undefined where pull secrets are named: they count in its place. */
  readonly serviceAccount: string | undefined;
  readonly pullSecrets: readonly string[];
}

export const NO_FIELDS: ExplainFields = {
  namespace: '',
  image: '',
  serviceAccount: '',
  pullSecrets: '',
};

/** DNS-1123, as the API server has names of namespaces, and of Secrets and ServiceAccounts. */
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const MAX_IMAGE_CHARS = 1024;
const MAX_LIST_CHARS = 1024;
const MAX_PULL_SECRETS = 20;

/** The fields of a body; what is no text, or too long to be shown again, counts as empty. */
export function fieldsOf(body: JsonObject): ExplainFields {
  const field = (name: keyof ExplainFields, maxChars: number): string => {
    const text = (textOf(body, name) ?? '').trim();
    return text.length > maxChars ? '' : text;
  };
  return {
    namespace: field('namespace', 253),
    image: field('image', MAX_IMAGE_CHARS),
    serviceAccount: field('serviceAccount', 253),
    pullSecrets: field('pullSecrets', MAX_LIST_CHARS),
  };
}

/** @throws PinError `invalid_config` that says which field is wrong */
export function questionOf({
  namespace,
  image,
  serviceAccount,
  pullSecrets,
}: ExplainFields): DebugQuestion {
  const names = pullSecrets
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const wrong = [
    [!NAMESPACE.test(namespace), 'namespace: the name of a namespace is needed'],
    [image === '', 'image: an image is needed'],
    [
      serviceAccount !== '' && !NAME.test(serviceAccount),
      'serviceAccount: no name of a ServiceAccount',
    ],
    [
      !names.every((name) => NAME.test(name)),
      'pullSecrets: names of Secrets, with commas between them',
    ],
    [names.length > MAX_PULL_SECRETS, `pullSecrets: at most ${MAX_PULL_SECRETS}`],
  ] as const;
  const found = wrong.find(([isWrong]) => isWrong);
  if (found !== undefined) throw new PinError('invalid_config', found[1]);
  const account = names.length > 0 ? undefined : serviceAccount || 'default';
  return { namespace, image, serviceAccount: account, pullSecrets: names };
}
