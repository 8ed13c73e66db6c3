/** Google's own cloud; the others are run by partners, with identities of their own. */
export const DEFAULT_UNIVERSE = 'googleapis.com';

/**
 * Hosts of Container Registry and Artifact Registry with the universe whose identities they know.
 * Kubernetes' plugin for Google names the first row (kubernetes/cloud-provider-gcp
 * pkg/gcpcredential/gcpcredential.go); below pkg.dev are also regional endpoints, such as
 * `docker.me-central2.rep.pkg.dev`. A partner's registries lie beside its APIs:
 * `apis-berlin-build0.goog` and `u-germany-northeast1-docker.pkg-berlin-build0.goog`; S3NS has
 * names of its own. Nobody else may register names below these.
 */
const REGISTRIES: readonly (readonly [pattern: RegExp, universe: string])[] = [
  [
    /^(?:(?:[a-z0-9-]+\.)*gcr\.io|(?:[a-z0-9-]+\.)+pkg\.dev|container\.cloud\.google\.com)$/,
    DEFAULT_UNIVERSE,
  ],
  [/^(?:[a-z0-9-]+\.)*pkg-([a-z0-9-]+)\.goog$/, 'apis-$1.goog'],
  [/^(?:[a-z0-9-]+\.)+s3nsregistry\.fr$/, 's3nsapis.fr'],
];

/** The universe of a registry of Google's making, or undefined where it is none; a port is none. */
export function universeOf(registry: string): string | undefined {
  const host = registry.toLowerCase();
  const row = REGISTRIES.find(([pattern]) => pattern.test(host));
  return row && host.replace(...row);
}
