import { Gauge, type Registry } from 'prom-client';

/** What is told of audits of the cluster. */
export interface AuditMetrics {
  /** How many images of workloads are in each state, as of now. */
  readonly audited: (counts: ReadonlyMap<string, number>) => void;
}

export function createAuditMetrics(register: Registry): AuditMetrics {
  const registers = [register];
  const images = new Gauge({
    name: 'tagpin_audit_images',
    help: 'Images of workloads by state, as the last audit found them; none without --audit-every.',
    labelNames: ['state'],
    registers,
  });
  const timestamp = new Gauge({
    name: 'tagpin_audit_timestamp_seconds',
    help: 'When the last audit ended, in seconds since 1970; 0 before the first.',
    registers,
  });
  return {
    audited: (counts) => {
      for (const [state, count] of counts) images.set({ state }, count);
      timestamp.setToCurrentTime();
    },
  };
}
