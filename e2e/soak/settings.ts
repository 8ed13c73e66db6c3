/** What the oracle goes by, and the replicas are told: short, so that a digest that is too old is seen. */
export const SETTINGS = { cacheTtlMs: 2000, staleIfErrorMs: 20_000 } as const;

/** The flags of a replica. Certificates and authorities change all the time. */
export function soakSettings(cacheTtlMs: number = SETTINGS.cacheTtlMs): readonly string[] {
  return [
    `--cache-ttl=${cacheTtlMs}ms`,
    `--stale-if-error=${SETTINGS.staleIfErrorMs}ms`,
    '--certificate-lifetime=90s',
    '--authority-lifetime=135s',
    '--drain-time=1s',
  ];
}
