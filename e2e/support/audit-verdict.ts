import { isJsonObject, objectAt, sameJson, textOf } from '../../src/json.ts';
import type { AuditEvent } from './audit-event.ts';
import { auditEvents, isOfTagpin, rightOf } from './audit-log.ts';
import { rightsOfManifests } from './rights.ts';

/** A stored state of one object, and what was asked for it. */
interface Write {
  readonly event: AuditEvent;
  readonly resourceVersion: bigint;
  readonly object: object;
}

/** How much was looked at, and what was wrong with it. */
export interface AuditVerdict {
  readonly writes: number;
  readonly replicaSets: number;
  readonly problems: readonly string[];
}

/**
 * Looks at every change of every workload that the API server has stored: a template that the request
 * left alone must be as it was, and a Deployment has a ReplicaSet for each template that it ever had,
 * and no more.
 */
export async function judgeAuditLog(directory: string): Promise<AuditVerdict> {
  const byObject = new Map<string, Write[]>();
  const deleted = new Set<string>();
  const asked = new Set<string>();
  for await (const event of auditEvents(directory)) {
    if (isOfTagpin(event)) asked.add(rightOf(event));
    if (event.verb === 'delete') deleted.add(deletedUid(event));
    const write = writeOf(event);
    if (write === undefined) continue;
    const uid = uidOf(write);
    byObject.set(uid, [...(byObject.get(uid) ?? []), write]);
  }
  const histories = [...byObject.values()].map((writes) =>
    writes.toSorted((a, b) => (a.resourceVersion < b.resourceVersion ? -1 : 1)),
  );
  return {
    writes: histories.reduce((sum, writes) => sum + writes.length, 0),
    replicaSets: histories.filter(([first]) => isNew(first, 'replicasets')).length,
    problems: [
      ...rightsNobodyGrants(asked),
      ...histories.flatMap(changesNobodyAsked),
      ...replicaSetsNobodyAsked(histories, deleted),
    ],
  };
}

/** What tagpin asked for in any test, though no manifest lets it. */
function rightsNobodyGrants(asked: ReadonlySet<string>): readonly string[] {
  const granted = new Set(rightsOfManifests());
  return [...asked]
    .filter((right) => !granted.has(right))
    .map((right) => `tagpin asked to ${right}, which no role of the manifests has`);
}

/** The API server answers with the object, or with a Status that names it. */
function deletedUid({ responseObject }: AuditEvent): string {
  const uid = textOf(objectAt(responseObject, ['metadata']), 'uid');
  return uid ?? textOf(objectAt(responseObject, ['details']), 'uid') ?? '';
}

/** Undefined where nothing was stored: dry runs, refusals, and what has no template to look at. */
function writeOf(event: AuditEvent): Write | undefined {
  const { responseObject: object, responseStatus, requestURI, objectRef } = event;
  if (event.verb === 'delete' || (responseStatus?.code ?? 500) >= 300) return undefined;
  if (requestURI.includes('dryRun=')) return undefined;
  if (!isJsonObject(object) || templateOf(object, objectRef.resource) === undefined)
    return undefined;
  const version = textOf(objectAt(object, ['metadata']), 'resourceVersion') ?? '0';
  return { event, resourceVersion: BigInt(version), object };
}

/** Of a Pod its images alone: everything else of it is the node's and its controllers' to change. */
function templateOf(object: object, resource: string): unknown {
  if (resource === 'pods') return imagesOf(object);
  if (resource === 'podtemplates') return objectAt(object, ['template']);
  if (resource === 'cronjobs') return objectAt(object, ['spec', 'jobTemplate', 'spec', 'template']);
  return objectAt(object, ['spec', 'template']);
}

function imagesOf(pod: object): unknown {
  const spec = objectAt(pod, ['spec']);
  if (spec === undefined) return undefined;
  const containers = ['containers', 'initContainers'].flatMap((list) => {
    const items = spec[list];
    return Array.isArray(items) ? items : [];
  });
  return Object.fromEntries(
    containers.filter(isJsonObject).map((item) => [textOf(item, 'name'), textOf(item, 'image')]),
  );
}

function changesNobodyAsked(writes: readonly Write[]): readonly string[] {
  return writes.flatMap((write, index) => {
    const before = writes[index - 1];
    if (before === undefined || asksForAnother(write, before)) return [];
    const { resource } = write.event.objectRef;
    const [was, is] = [before, write].map(({ object }) => templateOf(object, resource));
    if (sameJson(was, is)) return [];
    return [
      `${nameOf(write)} was changed though the request left it alone: ${JSON.stringify(was)} → ${JSON.stringify(is)}`,
    ];
  });
}

/** Whether a request has a template of its own, or may have. */
function asksForAnother({ event }: Write, before: Write): boolean {
  const { verb, requestObject, objectRef } = event;
  if (objectRef.subresource === 'status' || objectRef.subresource === 'scale') return false;
  if (verb === 'patch') {
    // A field of a merge patch, or a step of a path of a JSON patch.
    const field = objectRef.resource === 'pods' ? 'image' : 'emplate';
    return JSON.stringify(requestObject ?? '').includes(field);
  }
  if (!isJsonObject(requestObject)) return true;
  const asked = templateOf(requestObject, objectRef.resource);
  return !sameJson(asked, templateOf(before.object, objectRef.resource));
}

function replicaSetsNobodyAsked(
  histories: readonly (readonly Write[])[],
  deleted: ReadonlySet<string>,
): readonly string[] {
  const made = new Map<string, number>();
  for (const [first] of histories) {
    // One that is deleted is made anew.
    if (!isNew(first, 'replicasets') || deleted.has(uidOf(first))) continue;
    const owner = ownerOf(first);
    if (owner !== undefined) made.set(owner, (made.get(owner) ?? 0) + 1);
  }
  return histories.flatMap((writes) => {
    const [first] = writes;
    if (!isNew(first, 'deployments')) return [];
    const templates = distinct(writes.map(({ object }) => templateOf(object, 'deployments')));
    const count = made.get(uidOf(first)) ?? 0;
    if (count <= templates) return [];
    return [`${nameOf(first)} had ${templates} templates and ${count} ReplicaSets`];
  });
}

function isNew(write: Write | undefined, resource: string): write is Write {
  return write?.event.verb === 'create' && write.event.objectRef.resource === resource;
}

function uidOf({ object }: Write): string {
  return textOf(objectAt(object, ['metadata']), 'uid') ?? '';
}

function ownerOf({ object }: Write): string | undefined {
  const references = objectAt(object, ['metadata'])?.['ownerReferences'];
  const [owner] = Array.isArray(references) ? references.filter(isJsonObject) : [];
  return textOf(owner, 'uid');
}

function distinct(templates: readonly unknown[]): number {
  const known: unknown[] = [];
  for (const template of templates) {
    if (!known.some((one) => sameJson(one, template))) known.push(template);
  }
  return known.length;
}

function nameOf({ object, event }: Write): string {
  const metadata = objectAt(object, ['metadata']);
  const { objectRef, verb, user } = event;
  const name = `${textOf(metadata, 'namespace')}/${textOf(metadata, 'name')}`;
  return `${objectRef.resource} ${name} (${verb} by ${user.username})`;
}
