import type { Credential, CredentialSource } from '../credential.ts';

/** A credential that a person gave on the command line, for one registry and no other. */
export function createGivenSource(registry: string, credential: Credential): CredentialSource {
  const offers = [{ credential, origin: `the password of ${JSON.stringify(credential.username)}` }];
  return {
    name: 'command_line',
    covers: (reference) => reference.registry.toLowerCase() === registry.toLowerCase(),
    offersFor: () => Promise.resolve(offers),
    forget: () => {},
  };
}
