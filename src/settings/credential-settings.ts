import type { Settings } from './setting.ts';
import { choicesOf, parseBoolean, parseList, parseText } from './values.ts';

/** The clouds whose registries have credentials of their own. */
export type Cloud = 'google' | 'aws' | 'azure';

/** The operator's own credentials, and who may use them. */
export interface CredentialSettings {
  readonly dockerConfig: string | undefined;
  readonly imageCredentialProviderConfig: string | undefined;
  readonly imageCredentialProviderBinDir: string | undefined;
  readonly cloudCredentials: readonly Cloud[];
  readonly ownCredentialsNamespaces: readonly string[];
  readonly ownCredentialsImages: readonly string[];
  readonly anonymousFallback: boolean;
}

export const CREDENTIAL_SETTINGS: Settings<CredentialSettings> = {
  dockerConfig: {
    flag: '--docker-config FILE',
    fallback: undefined,
    text: "A docker config.json with credentials of tagpin's own: auths, credHelpers and credsStore. Read again when it changes.",
    parse: parseText,
  },
  imageCredentialProviderConfig: {
    flag: '--image-credential-provider-config FILE',
    fallback: undefined,
    text: "A kubelet's CredentialProviderConfig, or a directory of them, whose plugins tagpin runs as a node does.",
    parse: parseText,
  },
  imageCredentialProviderBinDir: {
    flag: '--image-credential-provider-bin-dir DIRECTORY',
    fallback: undefined,
    text: 'Where the programs of these plugins are.',
    parse: parseText,
  },
  cloudCredentials: {
    flag: '--cloud-credentials CLOUDS',
    fallback: '',
    text: 'Clouds whose registries are asked with the identity that tagpin has there: "google", "aws", "azure".',
    parse: choicesOf<Cloud>('google', 'aws', 'azure'),
  },
  ownCredentialsNamespaces: {
    flag: '--own-credentials-namespaces GLOBS',
    fallback: '',
    text: "Namespaces that may use tagpin's own credentials, with * for any text; all of them where only the images are named.",
    parse: parseList,
  },
  ownCredentialsImages: {
    flag: '--own-credentials-images GLOBS',
    fallback: '',
    text: "Images for which tagpin's own credentials may be used: globs on the normalised name, with * for any text (in the host, without a slash); all of them where only the namespaces are named.",
    parse: parseList,
  },
  anonymousFallback: {
    flag: '--anonymous-fallback',
    fallback: 'false',
    text: 'Ask without credentials when all of them were refused. A kubelet does not: it would not pull what is pinned so.',
    parse: parseBoolean,
  },
};
