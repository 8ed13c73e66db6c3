/**
 * The `registry` label of metrics. Host names come from users, and a label with many values breaks
 * whoever stores the metrics: only hosts that have answered get one, and only the first fifty.
 */
export interface RegistryLabels {
  readonly answered: (host: string) => void;
  readonly of: (host: string) => string;
}

/** Of all that have none of their own. */
export const OTHER = 'other';
const MAX_LABELS = 50;
const MAX_SPELLINGS = 200;

/** The host of Docker Hub in references, for the one that answers for it. */
const ALIASES: ReadonlyMap<string, string> = new Map([['registry-1.docker.io', 'docker.io']]);

export function createRegistryLabels(): RegistryLabels {
  const labels = new Set<string>();
  // By the spelling of users, so that a warm review finds its label at once.
  const bySpelling = new Map<string, string>();
  return {
    answered: (host) => {
      if (labels.size < MAX_LABELS) labels.add(registryName(host));
    },
    of: (host) => {
      const known = bySpelling.get(host);
      if (known !== undefined) return known;
      const label = registryName(host);
      if (!labels.has(label)) return OTHER;
      if (bySpelling.size < MAX_SPELLINGS) bySpelling.set(host, label);
      return label;
    },
  };
}

/**
 * A registry by one name: a reference has its host in any case, a URL in lower case, and Docker Hub
 * is asked by another.
 */
export function registryName(host: string): string {
  const name = host.toLowerCase();
  return ALIASES.get(name) ?? name;
}
