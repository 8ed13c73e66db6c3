import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

import type { CertificateAuthority } from './certificate.ts';
import { freePort } from './free-port.ts';
import { writeKubeconfig } from './kubeconfig.ts';

/** As much of an image review as is read here (imagepolicy.k8s.io/v1alpha1). */
interface ImageReview {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
}

/** What the API server's own plugin asks about each Pod: it is told no where an image has no digest. */
export class ImagePolicy {
  readonly #server: Server;
  /** Flags that make kube-apiserver ask it. */
  readonly flags: readonly string[];

  private constructor(server: Server, flags: readonly string[]) {
    this.#server = server;
    this.flags = flags;
  }

  /** Listens, and writes what the API server wants to know of it into this directory. */
  static async start(directory: string, authority: CertificateAuthority): Promise<ImagePolicy> {
    const port = await freePort();
    const { certificate, key } = await authority.issueServer('127.0.0.1');
    const server = createServer({ cert: certificate, key }, (request, response) => {
      void answer(request, response);
    });
    await new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
    const kubeConfigFile = await writeKubeconfig(join(directory, 'image-policy.kubeconfig'), {
      url: `https://127.0.0.1:${port}/`,
      certificateAuthority: authority.certificate,
      token: 'none',
    });
    const file = join(directory, 'admission.yaml');
    await writeFile(file, JSON.stringify(configuration(kubeConfigFile)));
    return new ImagePolicy(server, [
      '--enable-admission-plugins=ImagePolicyWebhook',
      `--admission-control-config-file=${file}`,
    ]);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function configuration(kubeConfigFile: string): object {
  const imagePolicy = {
    kubeConfigFile,
    allowTTL: 1,
    denyTTL: 1,
    retryBackoff: 500,
    defaultAllow: false,
  };
  return {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: [{ name: 'ImagePolicyWebhook', configuration: { imagePolicy } }],
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { spec } = (await json(request)) as ImageReview;
  const allowed = spec.containers.every(({ image }) => image.includes('@sha256:'));
  const status = { allowed, ...(!allowed && { reason: 'an image has no digest' }) };
  response.setHeader('Content-Type', 'application/json');
  const kind = { apiVersion: 'imagepolicy.k8s.io/v1alpha1', kind: 'ImageReview' };
  response.end(JSON.stringify({ ...kind, status }));
}
