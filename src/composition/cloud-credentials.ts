import { createAwsSource } from '../credentials/sources/aws.ts';
import { createAzureSource } from '../credentials/sources/azure.ts';
import type { CloudParts, CloudSource } from '../credentials/sources/cloud-source.ts';
import { createGoogleSource } from '../credentials/sources/google.ts';
import { parseChallenges } from '../registry/challenge.ts';
import type { Cloud } from '../settings/credential-settings.ts';

export interface CloudCredentialsParts extends CloudParts {
  /**
   * Of the process, for Google's two variables. The libraries of AWS and Azure read theirs
   * themselves.
   */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** In the order in which they are tried. */
const SOURCES: Readonly<Record<Cloud, (parts: CloudCredentialsParts) => CloudSource>> = {
  google: ({ environment, ...parts }) =>
    createGoogleSource({
      ...parts,
      credentialsFile: textOrNone(environment['GOOGLE_APPLICATION_CREDENTIALS']),
      metadataHost: textOrNone(environment['GCE_METADATA_HOST']),
    }),
  aws: createAwsSource,
  azure: (parts) => createAzureSource({ ...parts, parseChallenges }),
};

/** The sources of these clouds: a part of the composition root. */
export function composeCloudCredentials(
  clouds: readonly Cloud[],
  parts: CloudCredentialsParts,
): readonly CloudSource[] {
  const names: readonly Cloud[] = ['google', 'aws', 'azure'];
  return names.filter((cloud) => clouds.includes(cloud)).map((cloud) => SOURCES[cloud](parts));
}

/** An empty variable is none, as to Google's own libraries. */
function textOrNone(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
