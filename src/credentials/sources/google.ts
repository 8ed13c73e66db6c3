import { type CloudParts, type CloudSource, onMonotonicClock } from './cloud-source.ts';
import { createFileIdentity } from './google-file.ts';
import { createMetadataIdentity } from './google-metadata.ts';
import { universeOf } from './google-registries.ts';
import { createRememberedSource } from './remembered-source.ts';

export interface GoogleParts extends CloudParts {
  /** The file that GOOGLE_APPLICATION_CREDENTIALS names; without it the metadata server is asked. */
  readonly credentialsFile: string | undefined;
  /** The metadata server of GCE_METADATA_HOST, `HOST[:PORT]`; undefined for the well-known one. */
  readonly metadataHost: string | undefined;
  /** How the library reaches Google, in place of its own way. */
  readonly fetch?: typeof fetch;
}

/** Any name with an access token as the password; this one is of Artifact Registry's documentation. */
const USER = 'oauth2accesstoken';
/**
 * Before a token ends. Metadata servers give out a new one 5 minutes before that, and not earlier:
 * with a longer margin the old one would be fetched for each image.
 */
const MARGIN_MS = 60_000;
/** How long it is remembered that a registry is of another universe than the identity. */
const NONE_MS = 600_000;

/** Credentials for Google's registries, with the identity of a file or of the metadata server. */
export function createGoogleSource(parts: GoogleParts): CloudSource {
  const { credentialsFile } = parts;
  const [identity, from] =
    credentialsFile === undefined
      ? [createMetadataIdentity(parts, parts.metadataHost), 'metadata server']
      : [createFileIdentity({ file: credentialsFile, ...parts }), 'credential file'];
  const source = createRememberedSource(
    {
      name: 'google',
      covers: ({ registry }) => universeOf(registry) !== undefined,
      keyOf: ({ registry }) => universeOf(registry) ?? '',
      fetch: async ({ registry }, signal) => {
        const { token, expiresAtMs, universe } = await identity.fetchToken(signal);
        // One universe's token is none of another's business.
        if (universe !== universeOf(registry)) {
          return { offers: [], goodUntilMs: parts.now() + NONE_MS };
        }
        const credential = { username: USER, password: token };
        return {
          offers: [{ credential, origin: `Google (${from})` }],
          goodUntilMs: onMonotonicClock(parts, expiresAtMs) - MARGIN_MS,
        };
      },
    },
    parts,
  );
  return { ...source, load: identity.load };
}
