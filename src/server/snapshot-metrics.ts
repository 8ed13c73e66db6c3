import { Gauge, type Registry } from 'prom-client';

import { createTally } from './tally.ts';

/** What is told of the file in which digests outlive a restart. */
export interface SnapshotMetrics {
  readonly snapshotWrite: (result: 'written' | 'failed') => void;
}

export function createSnapshotMetrics(register: Registry): SnapshotMetrics {
  const write = createTally({
    name: 'tagpin_snapshot_writes_total',
    help: 'Attempts to write the snapshot of last known digests.',
    labelNames: ['result'],
    register,
  });
  const timestamp = new Gauge({
    name: 'tagpin_snapshot_timestamp_seconds',
    help: 'When the snapshot was last written, in seconds since 1970; 0 before.',
    registers: [register],
  });
  return {
    snapshotWrite: (result) => {
      write(result);
      if (result === 'written') timestamp.setToCurrentTime();
    },
  };
}
