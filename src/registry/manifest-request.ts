import { MANIFEST_ACCEPT } from '../image/manifest.ts';
import type { RegistryResponse } from './exchange.ts';
import {
  type Place,
  placeOf,
  type RepositoryQuestion,
  type Sending,
  sendAuthorized,
  sendTo,
} from './repository-request.ts';
import type { Authorizer } from './token.ts';
import type { Transport } from './transport.ts';

/** What registries are asked with. */
export interface RequestParts {
  readonly transport: Pick<Transport, 'send'>;
  readonly authorizer: Authorizer;
}

/** One manifest, at one place and with one credential or none. */
export interface ManifestQuestion extends RepositoryQuestion {
  /** A tag, or a digest. */
  readonly name: string;
  /** What the first HEAD was answered, where it has been sent. */
  readonly known?: RegistryResponse | undefined;
  /** What is taken; images and indexes where it is left out. */
  readonly accept?: string;
}

type Method = 'HEAD' | 'GET';

/** As containerd's cap, rounded (containerd core/remotes/docker, MaxManifestSize). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** One request with the authorization that the registry wants, its body read. Throws PinError. */
export async function sendManifestRequest(
  parts: RequestParts,
  question: ManifestQuestion,
  method: Method,
): Promise<RegistryResponse> {
  const known = method === 'HEAD' ? question.known : undefined;
  return sendAuthorized(sendingOf(parts), manifestPlace(question, method), known);
}

/** The HEAD that comes first where nothing is remembered: without authorization. */
export async function sendFirstRequest(
  parts: RequestParts,
  question: ManifestQuestion,
): Promise<RegistryResponse> {
  return sendTo(sendingOf(parts), manifestPlace(question, 'HEAD'), undefined);
}

function sendingOf({ transport, authorizer }: RequestParts): Sending<RegistryResponse> {
  return { send: transport.send, authorizer };
}

function manifestPlace(question: ManifestQuestion, method: Method): Place {
  const { name, accept = MANIFEST_ACCEPT } = question;
  const maxBodyBytes = method === 'GET' ? MAX_MANIFEST_BYTES : MAX_ERROR_BYTES;
  return placeOf(question, { method, path: `manifests/${name}`, accept, maxBodyBytes });
}
