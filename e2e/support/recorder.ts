import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { json } from 'node:stream/consumers';

import type { WebhookAddress } from './environment.ts';

/** As much of an admission review as is written down. */
interface Review {
  readonly request: {
    readonly uid: string;
    readonly kind: { readonly kind: string };
    readonly operation: string;
    readonly subResource?: string;
    readonly namespace: string;
  };
}

/** A webhook that admits everything and writes down what it was called for. */
export class Recorder {
  readonly #calls: { readonly namespace: string; readonly call: string }[] = [];
  readonly #address: WebhookAddress;
  readonly #server: Server;

  constructor(address: WebhookAddress) {
    this.#address = address;
    this.#server = createServer(
      { cert: readFileSync(address.certificateFile), key: readFileSync(address.keyFile) },
      (request, response) => void this.#answer(request, response),
    );
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#address.port, '127.0.0.1', resolve);
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Takes what was called for in a namespace: `/admission/pin Pod CREATE`. */
  take(namespace: string | undefined): readonly string[] {
    const taken = this.#calls.filter((call) => call.namespace === namespace);
    const others = this.#calls.filter((call) => call.namespace !== namespace);
    this.#calls.splice(0, this.#calls.length, ...others);
    return taken.map(({ call }) => call);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { uid } = this.#record(request.url ?? '', (await json(request)) as Review);
    response.setHeader('Content-Type', 'application/json');
    const answer = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
    response.end(JSON.stringify({ ...answer, response: { uid, allowed: true } }));
  }

  #record(url: string, { request }: Review): Review['request'] {
    const path = url.replace(/\?.*/, '');
    const { kind, operation, subResource, namespace } = request;
    const words = [path, kind.kind, operation, ...(subResource === undefined ? [] : [subResource])];
    this.#calls.push({ namespace, call: words.join(' ') });
    return request;
  }
}
