interface Manifest {
  readonly kind: string;
}

interface Service extends Manifest {
  readonly spec: object;
}

interface WebhookConfiguration extends Manifest {
  readonly webhooks: readonly {
    readonly clientConfig: { readonly service: object };
  }[];
}

/** What is said to the API server of where to call. */
interface LocalService {
  /** What listens on 127.0.0.1 in the place of the Service. */
  readonly port: number;
  /** The PEM that goes into every caBundle; none: somebody else writes it. */
  readonly certificateAuthority?: string;
}

/**
 * Manifests as they are, for an API server that has no network of Services: the Service is another name of
 * localhost, and the webhook entries name the port. The API server asks for a certificate of the Service's
 * name all the same.
 */
export function behindLocalService(
  objects: readonly Manifest[],
  service: LocalService,
): readonly Manifest[] {
  return objects.map((object) => {
    if (isService(object)) return namedLocalhost(object);
    return isWebhookConfiguration(object) ? calledAt(object, service) : object;
  });
}

function isService(object: Manifest): object is Service {
  return object.kind === 'Service';
}

function isWebhookConfiguration(object: Manifest): object is WebhookConfiguration {
  return object.kind.endsWith('WebhookConfiguration');
}

function namedLocalhost(service: Service): Service {
  return { ...service, spec: { ...service.spec, type: 'ExternalName', externalName: 'localhost' } };
}

function calledAt(
  configuration: WebhookConfiguration,
  { port, certificateAuthority }: LocalService,
): WebhookConfiguration {
  const bundle =
    certificateAuthority === undefined
      ? {}
      : { caBundle: Buffer.from(certificateAuthority).toString('base64') };
  const webhooks = configuration.webhooks.map((webhook) => ({
    ...webhook,
    clientConfig: { service: { ...webhook.clientConfig.service, port }, ...bundle },
  }));
  return { ...configuration, webhooks };
}
