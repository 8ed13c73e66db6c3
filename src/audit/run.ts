import type { Streams } from '../files/streams.ts';
import { type AuditReport, failsAudit } from './findings.ts';
import { Inventory, type ListedObject } from './inventory.ts';
import { type AuditRegistries, createJudge } from './judge.ts';
import { type AuditFormat, writeReport } from './report.ts';
import { writeRunning } from './running.ts';
import type { Use } from './use.ts';

/** What an audit asks of a cluster. */
export interface AuditedCluster {
  /** Owners before what they own, Pods last. Throws PinError. */
  readonly objects: () => AsyncIterable<ListedObject>;
  /** `os/architecture` of every node; undefined where nodes may not be listed. Rejects with a PinError. */
  readonly platforms: () => Promise<ReadonlySet<string> | undefined>;
}

export interface AuditOptions {
  readonly format: AuditFormat;
  /** Of tagpin, for reports that name their tool. */
  readonly version: string;
}

export interface AuditPorts {
  readonly cluster: AuditedCluster;
  /** Opened when there is something to ask. */
  readonly openRegistries: () => Promise<AuditRegistries>;
  readonly streams: Streams;
}

/** Looks at every workload, and tells what is wrong; resolves to whether nothing is. Rejects with a PinError. */
export async function runAudit(options: AuditOptions, ports: AuditPorts): Promise<boolean> {
  const { streams } = ports;
  const inventory = await inventoryOf(ports.cluster);
  if (options.format === 'images') return writeRunning(inventory.running, streams);
  const report = await judged(inventory, ports);
  await writeReport(report, options, streams);
  return report.unread === 0 && !report.findings.some(failsAudit);
}

/** All verdicts on what runs in a cluster now. Rejects with a PinError. */
export async function auditCluster(
  ports: Pick<AuditPorts, 'cluster' | 'openRegistries'>,
): Promise<AuditReport> {
  return judged(await inventoryOf(ports.cluster), ports);
}

async function inventoryOf(cluster: AuditedCluster): Promise<Inventory> {
  const inventory = new Inventory();
  for await (const object of cluster.objects()) inventory.add(object);
  return inventory;
}

async function judged(
  { uses, unread }: Inventory,
  { cluster, openRegistries }: Pick<AuditPorts, 'cluster' | 'openRegistries'>,
): Promise<AuditReport> {
  const platforms = await cluster.platforms();
  const judge = createJudge({
    registries: await openRegistries(),
    isMixed: (platforms?.size ?? 0) > 1,
    isPinnedInPods: pinnedInPods(uses),
  });
  const findings = (await Promise.all(uses.map(judge))).flat();
  return { uses, findings, unread, platforms };
}

/** Where all Pods that have the place of a template run digests, whatever the template has. */
function pinnedInPods(uses: readonly Use[]): (use: Use) => boolean {
  const inPods = Map.groupBy(
    uses.filter(({ pods }) => pods > 0),
    placeOf,
  );
  return (use) => inPods.get(placeOf(use))?.every(({ image }) => image.includes('@')) ?? false;
}

function placeOf({ workload: { namespace, kind, name }, place }: Use): string {
  return [namespace, kind, name, place].join('\n');
}
