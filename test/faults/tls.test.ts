import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';

import { INDEX_DIGEST, unauthorized, withAuthorization } from '../support/answers.ts';
import { createAuthority, type KeyPair } from '../support/certificate.ts';
import { inWorld, type World } from '../support/world.ts';

const NAME = 'registry.example.com';

interface Presented extends KeyPair {
  /** What would have to be trusted for it. */
  readonly ca: string;
}

async function selfSigned(): Promise<Presented> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: NAME }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: NAME }] }],
  });
  return { cert, key, ca: cert };
}

async function issued(name: string, notAfter?: Date): Promise<Presented> {
  const authority = await createAuthority();
  return { ...(await authority.issue([name], notAfter)), ca: authority.certificate };
}

async function trust(world: World, host: string, ca: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tagpin-faults-'));
  world.use({ [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) });
  const file = join(directory, 'ca.crt');
  await writeFile(file, ca);
  world.set('registryCa', `${host}=${file}`);
}

const YESTERDAY = new Date(Date.now() - 86_400_000);

describe('a certificate that is not trusted', () => {
  it.each<[string, () => Promise<Presented>, boolean]>([
    ['self-signed', selfSigned, true],
    ['of an unknown authority', (): Promise<Presented> => issued(NAME), true],
    ['expired', (): Promise<Presented> => issued(NAME, YESTERDAY), false],
    ['of another name', (): Promise<Presented> => issued('other.example.com'), false],
  ])(
    'fault 62: %s → tls_failed, nothing is sent; with --registry-ca only a fault of trust is mended',
    inWorld(async (world, ...row: [string, () => Promise<Presented>, boolean]) => {
      const [, present, isMended] = row;
      const { ca, ...certificate } = await present();
      const [registry, trusted] = [
        await world.place({ names: [NAME], certificate }),
        await world.place({ names: [NAME], certificate }),
      ];
      await trust(world, trusted.host, ca);
      for (const place of [registry, trusted]) {
        place.answer(withAuthorization(place.basic), unauthorized('Basic realm="r"'));
      }
      expect(await world.failureOf(registry.image)).toMatchObject({
        code: 'tls_failed',
        message: expect.stringContaining(registry.host),
      });
      expect(registry.requests).toEqual([]);
      expect(await world.digestOf(trusted.image)).toBe(isMended ? INDEX_DIGEST : 'tls_failed');
      expect(trusted.requests).toHaveLength(isMended ? 2 : 0);
    }),
  );
});
