import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { json } from 'node:stream/consumers';

import type { WebhookAddress } from './environment.ts';
import { freePort } from './free-port.ts';
import type { Kubectl } from './kubectl.ts';

/** As much of an admission review as is read here. */
interface Review {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly spec: { readonly containers: readonly { name: string }[] } };
  };
}

interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle: string } }[];
}

/** The mutating webhook of somebody else, which adds a container to each new Pod of one namespace. */
export class Injector {
  readonly #server: Server;
  readonly #kubectl: Kubectl;
  readonly #name: string;

  private constructor(server: Server, kubectl: Kubectl, name: string) {
    this.#server = server;
    this.#kubectl = kubectl;
    this.#name = name;
  }

  /**
   * Registers it; the API server calls webhooks in the order of the names of their configurations.
   *
   * @param image of the container `sidecar`
   */
  static async register(
    kubectl: Kubectl,
    address: WebhookAddress,
    { name, image }: { readonly name: string; readonly image: string },
  ): Promise<Injector> {
    const port = await freePort();
    const certificate = {
      cert: readFileSync(address.certificateFile),
      key: readFileSync(address.keyFile),
    };
    const server = createServer(certificate, (request, response) => {
      void answer(request, response, image);
    });
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
    const tagpin = await kubectl.get<Configuration>('mutatingwebhookconfiguration', 'tagpin');
    const caBundle = tagpin.webhooks[0]?.clientConfig.caBundle;
    await kubectl.apply({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: 'sidecar.example.com',
          clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle },
          rules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': kubectl.namespace } },
          failurePolicy: 'Fail',
          reinvocationPolicy: 'IfNeeded',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
    return new Injector(server, kubectl, name);
  }

  async remove(): Promise<void> {
    await this.#kubectl.run(['delete', 'mutatingwebhookconfiguration', this.#name]);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  image: string,
): Promise<void> {
  const review = (await json(request)) as Review;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(answerTo(review, image)));
}

function answerTo({ request: { uid, object } }: Review, image: string): object {
  const isThere = object.spec.containers.some(({ name }) => name === 'sidecar');
  const added = { op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image } };
  const patch = isThere ? {} : { patchType: 'JSONPatch', patch: btoa(JSON.stringify([added])) };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...patch },
  };
}
