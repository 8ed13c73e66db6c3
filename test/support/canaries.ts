import { randomUUID } from 'node:crypto';

import type { Credential } from '../../src/credentials/credential.ts';
import type { RecordedRequest } from './scripted-registry.ts';

/** Whoever records what it is sent. */
export interface Listener {
  readonly origin: string;
  readonly requests: readonly RecordedRequest[];
}

/** Something secret, and who alone may be told. */
interface Canary {
  readonly text: string;
  readonly told: Set<Listener>;
}

/**
 * Secrets of one test that are like no other text, and a search for them wherever they must not be:
 * with other servers, in messages, in the log, in metrics.
 */
export class Canaries {
  readonly #canaries = new Map<string, Canary>();
  readonly #overheard: { readonly where: string; readonly text: string }[] = [];

  /** A new secret text for these alone. */
  hatch(kind: string, ...told: readonly Listener[]): string {
    const text = `canary-${kind}-${randomUUID()}`;
    this.#canaries.set(text, { text, told: new Set(told) });
    return text;
  }

  /** A user name and a password for these alone. */
  credential(...told: readonly Listener[]): Credential {
    return { username: this.hatch('user', ...told), password: this.hatch('password', ...told) };
  }

  /** This server may be told, too. */
  entrust(secret: Credential | string, ...told: readonly Listener[]): void {
    const texts =
      typeof secret === 'string'
        ? [secret]
        : [secret.username, secret.password, secret.identityToken];
    for (const text of texts) {
      for (const listener of told) this.#canaries.get(text ?? '')?.told.add(listener);
    }
  }

  /** Whatever people or machines read: a message, a line of the log, the metrics. */
  overhear(where: string, text: string): void {
    this.#overheard.push({ where, text });
  }

  /** Where a canary is that must not be there; one line each. */
  leaks(listeners: Iterable<Listener>): string[] {
    const found = [...listeners].flatMap((listener) => this.#seenBy(listener));
    for (const { where, text } of this.#overheard) {
      const seen = readings(text).join('\n');
      for (const canary of this.#canaries.keys()) {
        if (seen.includes(canary)) found.push(`${where} tells ${canary}`);
      }
    }
    return found;
  }

  #seenBy(listener: Listener): string[] {
    const secrets = [...this.#canaries.values()].filter(({ told }) => !told.has(listener));
    return listener.requests.flatMap((request) => {
      const seen = textsOf(request).flatMap(readings).join('\n');
      return secrets
        .filter(({ text }) => seen.includes(text))
        .map(
          ({ text }) => `${listener.origin} was sent ${text} (${request.method} ${request.path})`,
        );
    });
  }
}

function textsOf({ method, path, query, headers, body }: RecordedRequest): string[] {
  return [method, path, query.toString(), JSON.stringify(headers), body];
}

/** A text as it stands, without the escapes of a URL or a form, and what its base64 holds. */
function readings(text: string): string[] {
  const plain = unescaped(text);
  return [text, plain].flatMap((one) => [
    one,
    ...(one.match(/[\w+/-]{16,}={0,2}/g) ?? []).map((base64) =>
      Buffer.from(base64, 'base64').toString('latin1'),
    ),
  ]);
}

function unescaped(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
}
