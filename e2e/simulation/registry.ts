import { createHash } from 'node:crypto';

/** A request, as far as the registry looks at it. */
interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
}

/** What it answers. */
interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How often a registry was asked for what. */
export interface RegistryCounts {
  /** Manifests that it gave: what may count as a pull. */
  manifests: number;
  /** Requests that it sent away for a token. */
  challenges: number;
  tokens: number;
}

/** Registries that have every tag, and want a token for each repository, as Docker Hub does. */
export interface CountingRegistry {
  readonly answer: (asked: Asked) => Told;
  /** By host; of those that were asked. */
  readonly counts: ReadonlyMap<string, RegistryCounts>;
  readonly forget: () => void;
}

const MANIFEST = /^\/v2\/(.+)\/manifests\/(.+)$/;
const TOKEN_PATH = '/token';

/** @param tokenLifeS how long a token is good; Docker Hub says 300 */
export function createCountingRegistry(tokenLifeS: number): CountingRegistry {
  const counts = new Map<string, RegistryCounts>();
  return {
    counts,
    forget: () => counts.clear(),
    answer: (asked) => {
      const { host } = asked.url;
      const count = counts.get(host) ?? { manifests: 0, challenges: 0, tokens: 0 };
      counts.set(host, count);
      return answer(asked, count, tokenLifeS);
    },
  };
}

function answer(asked: Asked, count: RegistryCounts, tokenLifeS: number): Told {
  const { url, authorization } = asked;
  if (url.pathname === TOKEN_PATH) {
    count.tokens += 1;
    const token = hash(url.searchParams.get('scope') ?? '');
    const body = JSON.stringify({ token, expires_in: tokenLifeS });
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const [, repository = '', tag = ''] = MANIFEST.exec(url.pathname) ?? [];
  const scope = `repository:${repository}:pull`;
  if (authorization !== `Bearer ${hash(scope)}`) {
    count.challenges += 1;
    const challenge = `Bearer realm="${url.origin}${TOKEN_PATH}",service="${url.host}",scope="${scope}"`;
    return { status: 401, headers: { 'www-authenticate': challenge }, body: '' };
  }
  count.manifests += 1;
  const headers = {
    'content-type': 'application/vnd.oci.image.index.v1+json',
    'docker-content-digest': `sha256:${hash(`${repository}:${tag}`)}`,
  };
  return { status: 200, headers, body: '' };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
