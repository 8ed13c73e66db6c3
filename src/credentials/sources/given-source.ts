import type { CredentialSource, Offer } from '../credential.ts';

/** A credential that a person gave on the command line, for one registry and no other. */
export function createGivenSource(registry: string, offer: Offer): CredentialSource {
  return {
    name: 'command_line',
    covers: (reference) => reference.registry.toLowerCase() === registry.toLowerCase(),
    offersFor: () => Promise.resolve([offer]),
    forget: () => {},
  };
}
