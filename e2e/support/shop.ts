import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { gunzipSync } from 'node:zlib';

import { computeDigest } from '../../src/image/digest.ts';
import { createAuthority } from '../../test/support/certificate.ts';
import { ImageStore, OCI, type StoredDescriptor } from '../../test/support/image-store.ts';
import { startProxy } from '../../test/support/proxy.ts';
import { stopAll } from './child-process.ts';
import type { PushTarget } from './image.ts';
import { type Registry, startRegistry } from './registry.ts';
import { pushStore } from './stored-image.ts';

/**
 * The registries of the documentation, by the names that they have there, with images that always have
 * the same bytes: what the documentation shows of them is what everybody sees.
 */
export interface Shop extends AsyncDisposable {
  /** What a program needs in its environment to find them. */
  readonly environment: Readonly<Record<string, string>>;
}

const OPEN = 'registry.example.com';
const PRIVATE = 'private.example.com';
/** Where the tutorial takes its images from; here a repository of the open registry. */
const PUBLIC = 'registry.k8s.io';
/** A tar archive of `app/web` and `app/web.toml`, by gzip: others of its bytes would have another digest. */
const LAYER =
  'H4sIAAAAAAACA+3TsQrCMBDG8cx9ioizNpFEu/gwrVYqqA1tRB/fozhIxc1WKv9fhjtChhzHl4eQqoEZsfG+q6Jfu956OfLMOLmXxnqlvRrBtY15I1/5xpCvw01ELvu/lcVv9+/e9u/tSmnD/gc3n6XF8ZK2VVLey52uYgx7vTjoRdCZyUyi8Nee+V/G+nwaMv9r5z7n37pe/q1bk/9RhLqJekvWAQAAAAAAAAAAAACYsgcgXr5eACgAAA==';

/**
 * Starts both registries with their images, to be asked over TLS by their names.
 *
 * @param parent a directory below that of the run; what others push elsewhere is not in these registries
 */
export async function startShop(parent: string): Promise<Shop> {
  const directory = join(parent, 'shop');
  await mkdir(directory);
  const registries = {
    open: await startRegistry(directory, 'open'),
    private: await startRegistry(directory, 'private'),
  };
  await pushImages(registries);
  const authority = await createAuthority();
  const file = join(directory, 'shop-ca.pem');
  await writeFile(file, authority.certificate);
  const pair = await authority.issue([OPEN, PUBLIC, PRIVATE]);
  const open = await startFront(registries.open, pair);
  const guarded = await startFront(registries.private, pair);
  const ports = new Map([
    [`${OPEN}:443`, portOf(open)],
    [`${PUBLIC}:443`, portOf(open)],
    [`${PRIVATE}:443`, portOf(guarded)],
  ]);
  const proxy = await startProxy({ ports });
  return {
    environment: {
      HTTPS_PROXY: proxy.origin,
      https_proxy: proxy.origin,
      NO_PROXY: '127.0.0.1',
      NODE_EXTRA_CA_CERTS: file,
      SSL_CERT_FILE: file,
      CURL_CA_BUNDLE: file,
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      open.close();
      guarded.close();
      await stopAll(directory);
    },
  };
}

/** TLS before a registry that speaks none. */
async function startFront(
  { host }: Registry,
  pair: { readonly cert: string; readonly key: string },
): Promise<Server> {
  const port = Number(host.split(':').at(-1));
  const server = createServer(pair, (near) => {
    const far = connect(port, '127.0.0.1');
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function pushImages(registries: {
  readonly open: Registry;
  readonly private: Registry;
}): Promise<void> {
  const web = { registry: registries.open, repository: 'shop/web' };
  const pause = { registry: registries.open, repository: 'pause' };
  const api = { registry: registries.private, repository: 'billing/api', tag: '2' };
  await pushIndex({ ...web, tag: '1.3' }, '2026-02-01T09:00:00Z');
  await pushIndex({ ...web, tag: '1.4' }, '2026-03-01T10:00:00Z');
  await pushIndex({ ...pause, tag: '3.9' }, '2026-01-05T12:00:00Z');
  await pushIndex({ ...pause, tag: '3.10' }, '2026-01-06T12:00:00Z');
  await pushIndex(api, '2026-03-02T08:30:00Z');
}

async function pushIndex(target: PushTarget, created: string): Promise<void> {
  const store = new ImageStore();
  const layer = store.blob(OCI.gzip, Buffer.from(LAYER, 'base64'));
  const platforms = ['amd64', 'arm64'].map((architecture) => ({
    ...imageFor(store, { architecture, created, layer }),
    platform: { os: 'linux', architecture },
  }));
  await pushStore(target, store, store.index(platforms));
}

function imageFor(
  store: ImageStore,
  image: {
    readonly architecture: string;
    readonly created: string;
    readonly layer: StoredDescriptor;
  },
): StoredDescriptor {
  const { architecture, created, layer } = image;
  const config = {
    created,
    architecture,
    os: 'linux',
    config: {
      User: '65532',
      ExposedPorts: { '8080/tcp': {} },
      Env: ['PATH=/usr/bin:/bin', 'PORT=8080'],
      Entrypoint: ['/app/web'],
      WorkingDir: '/app',
      Labels: { 'org.opencontainers.image.source': 'https://git.example.com/shop/web' },
    },
    rootfs: {
      type: 'layers',
      diff_ids: [computeDigest(gunzipSync(Buffer.from(LAYER, 'base64')))],
    },
    history: [{ created, created_by: 'COPY app /app' }],
  };
  return store.image(config, [layer]);
}
