import type { RegistryResponse } from './exchange.ts';

/** How many requests a registry still answers to whoever asked. */
export interface Quota {
  readonly remaining: number;
  /** Of how many; undefined where it is not told. */
  readonly limit: number | undefined;
  /** Within how many seconds; undefined where it is not told. */
  readonly windowS: number | undefined;
}

/**
 * `100`, or `76;w=21600` as Docker Hub has it (docs.docker.com/docker-hub/usage/pulls), the form of
 * draft-ietf-httpapi-ratelimit-headers-03: the first of a list, of whose parameters `w` alone counts.
 */
const VALUE =
  /^(\d{1,9})(?:;(?!w=)[^;,]{0,50}){0,8}(?:;w=(\d{1,9}))?(?:;(?!w=)[^;,]{0,50}){0,8}(?:,|$)/;

/** Undefined where the registry tells nothing, or something that is not understood. */
export function quotaOf(header: RegistryResponse['header']): Quota | undefined {
  const remaining = valueOf(header('ratelimit-remaining'));
  if (remaining === undefined) return undefined;
  const limit = valueOf(header('ratelimit-limit'));
  const windowS = remaining.windowS ?? limit?.windowS;
  return { remaining: remaining.count, limit: limit?.count, windowS };
}

function valueOf(
  values: readonly string[],
): { readonly count: number; readonly windowS: number | undefined } | undefined {
  const [value = ''] = values;
  const [, count, window] = VALUE.exec(value.replaceAll(' ', '')) ?? [];
  if (values.length !== 1 || count === undefined) return undefined;
  return { count: Number(count), windowS: window === undefined ? undefined : Number(window) };
}
