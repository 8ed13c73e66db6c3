import { callerPath, isCallerToken, splitCallerPath } from '../caller-path.ts';
import { isJsonObject, type JsonObject, listOf, objectIn, textOf } from '../json.ts';
import { type Certificate, readCertificates } from './certificate.ts';

/** An entry of a webhook configuration that tagpin answers. */
export interface Entry {
  /** Its place in the list. */
  readonly index: number;
  readonly bundle: readonly Certificate[];
  /** The token in its path; undefined where it has none. */
  readonly token: string | undefined;
  /** What it is called for, without the token: `/admission/pin`. */
  readonly route: string;
  /** Where its path stands. */
  readonly target: Target;
}

/** A Service with a path of its own, or an address that holds the path. */
type Target = { readonly kind: 'service' } | { readonly kind: 'url'; readonly origin: string };

/** What an entry is to have. */
export interface Wanted {
  readonly entry: Entry;
  readonly bundle: readonly Certificate[];
  readonly token: string;
}

const ROUTES = /^\/(?:admission\/[a-z]+|validate\/digests)$/;
/** Without a path, as the component `built-in-certificates` has them, the name tells. */
const OF_MODE = /^(?:pods|workloads)\.(pin|enforce|warn)\./;
const OF_DIGESTS = /^digests\./;

/** Those entries of a webhook configuration that call tagpin; others are nobody's business here. */
export function entriesOf(configuration: JsonObject): readonly Entry[] {
  const bundleOf = bundleReader();
  return listOf(configuration, 'webhooks').flatMap((webhook, index): Entry[] => {
    if (!isJsonObject(webhook)) return [];
    const config = objectIn(webhook, 'clientConfig');
    const service = objectIn(config, 'service');
    const url = textOf(config, 'url');
    const parsed = url === undefined ? undefined : URL.parse(url);
    if (service === undefined && !parsed) return [];
    const path = parsed?.pathname ?? textOf(service, 'path') ?? '';
    const called = readPath(path, textOf(webhook, 'name') ?? '');
    if (called === undefined) return [];
    const target: Target = parsed ? { kind: 'url', origin: parsed.origin } : { kind: 'service' };
    const bundle = bundleOf(textOf(config, 'caBundle') ?? '');
    return [{ index, bundle, target, ...called }];
  });
}

/** Most entries have one bundle, which may be that of an operating system: it is read once. */
function bundleReader(): (caBundle: string) => Entry['bundle'] {
  const bundles = new Map<string, Entry['bundle']>();
  return (caBundle) => {
    const known = bundles.get(caBundle);
    if (known !== undefined) return known;
    const bundle = readCertificates(Buffer.from(caBundle, 'base64').toString('latin1'));
    bundles.set(caBundle, bundle);
    return bundle;
  };
}

function readPath(path: string, name: string): Pick<Entry, 'route' | 'token'> | undefined {
  const { token, route } = splitCallerPath(path);
  if (ROUTES.test(route)) {
    return { route, token: token !== undefined && isCallerToken(token) ? token : undefined };
  }
  if (path !== '' && path !== '/') return undefined;
  const [, mode] = OF_MODE.exec(name) ?? [];
  if (mode !== undefined) return { route: `/admission/${mode}`, token: undefined };
  return OF_DIGESTS.test(name) ? { route: '/validate/digests', token: undefined } : undefined;
}

/**
 * A JSON Patch (RFC 6902) that gives entries what they are to have, and touches nothing else. It
 * names the version that was read: where that is another by now, the API server answers 409.
 */
export function patchOf(version: string, changes: readonly Wanted[]): readonly JsonObject[] {
  const ops = changes.flatMap(({ entry, bundle, token }) => {
    const at = `/webhooks/${entry.index}/clientConfig`;
    const pem = bundle.map((certificate) => certificate.pem).join('');
    const path = callerPath(token, entry.route);
    const { target } = entry;
    return [
      { op: 'add', path: `${at}/caBundle`, value: Buffer.from(pem).toString('base64') },
      target.kind === 'service'
        ? { op: 'add', path: `${at}/service/path`, value: path }
        : { op: 'add', path: `${at}/url`, value: target.origin + path },
    ];
  });
  return [{ op: 'replace', path: '/metadata/resourceVersion', value: version }, ...ops];
}
