import { PinError } from '../../errors.ts';
import { isJsonObject, parseJson, textOf } from '../../json.ts';
import { cloudFailure } from './cloud-failure.ts';
import type { CloudParts } from './cloud-source.ts';
import { type DirectResponse, sendDirectly } from './direct-request.ts';
import type { GoogleIdentity, GoogleToken } from './google-identity.ts';
import { DEFAULT_UNIVERSE } from './google-registries.ts';

/**
 * The metadata server of a node, or of GKE's Workload Identity: as an address, which no DNS answer
 * can turn elsewhere. https://cloud.google.com/compute/docs/metadata/querying-metadata
 */
const METADATA_HOST = '169.254.169.254';
const TOKEN = 'instance/service-accounts/default/token';
const UNIVERSE = 'universe/universe-domain';
const FLAVOR = 'metadata-flavor';

/**
 * The identity that the Pod or its node has by its metadata server. That address is reached here
 * and nowhere else: the registries' transport refuses it whatever is allowed.
 *
 * @param host in place of the well-known address, with or without a port
 */
export function createMetadataIdentity(
  { wallClock }: Pick<CloudParts, 'wallClock'>,
  host: string = METADATA_HOST,
): GoogleIdentity {
  const ask = async (path: string, signal: AbortSignal): Promise<DirectResponse> => {
    const url = new URL(`http://${host}/computeMetadata/v1/${path}`);
    const response = await sendDirectly({ url, headers: { [FLAVOR]: 'Google' }, signal });
    if (response.headers.get(FLAVOR) === 'Google') return response;
    throw failure('what answers is no metadata server');
  };
  return {
    load: async () => {},
    fetchToken: async (signal) => {
      try {
        const [token, universe] = await Promise.all([ask(TOKEN, signal), ask(UNIVERSE, signal)]);
        return { ...readToken(token, wallClock()), universe: readUniverse(universe) };
      } catch (caught) {
        throw cloudFailure(QUESTION, caught);
      }
    },
  };
}

const QUESTION = {
  asked: "Google's metadata server gives no access token",
  advice: 'see that tagpin runs in Google Cloud, and that its Pod or node has a service account',
};

function failure(why: string): PinError {
  const message = `${QUESTION.asked} (${why}): ${QUESTION.advice}`;
  return new PinError('credential_source_failed', message);
}

function readToken(
  { status, text }: DirectResponse,
  nowMs: number,
): Pick<GoogleToken, 'token' | 'expiresAtMs'> {
  if (status !== 200) throw failure(`answered ${status}`);
  const body = parseJson(text);
  const fields = isJsonObject(body) ? body : {};
  const token = textOf(fields, 'access_token');
  const seconds = fields['expires_in'];
  if (token === undefined || typeof seconds !== 'number')
    throw failure('an answer without a token');
  return { token, expiresAtMs: nowMs + seconds * 1000 };
}

/** Metadata servers that know of no universe are of the first one. */
function readUniverse({ status, text }: DirectResponse): string {
  if (status === 404) return DEFAULT_UNIVERSE;
  if (status !== 200) throw failure(`answered ${status} for its universe`);
  return text.trim() || DEFAULT_UNIVERSE;
}
