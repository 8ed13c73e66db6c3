import type { Connection } from './connection.ts';
import type { Guard } from './guard.ts';
import { mayVouchFor } from './realm.ts';

/** A host whose answer leads to another URL: by a redirect, or as a token server. */
export interface Sender {
  readonly url: URL;
  readonly connection?: Connection | undefined;
  /** Who led to this one in turn. */
  readonly sender?: Sender | undefined;
}

/**
 * Who, on the way to this URL, had no right to lead on to it. Anybody can run a registry: what the
 * operator allows by naming a host must not be open to all whom a stranger's answer sends there. So
 * that holds on the word of hosts that are named themselves, or share the host's domain.
 */
export function strangerBefore(
  guard: Pick<Guard, 'isNamed'>,
  { url, sender }: Sender,
): URL | undefined {
  if (sender === undefined) return undefined;
  const before = strangerBefore(guard, sender);
  if (before !== undefined) return before;
  const isNamed = sender.connection?.named === true || guard.isNamed(sender.url);
  return isNamed || mayVouchFor(sender.url, url) ? undefined : sender.url;
}
