import type { Registries } from '../../src/contents/registries.ts';

function unexpected(): never {
  throw new Error('this was not to be asked');
}

/** Registries that answer what a test gives them, and are asked nothing else. */
export function registriesOf(answers: Partial<Registries>): Registries {
  return {
    resolve: unexpected,
    manifest: unexpected,
    blob: unexpected,
    tags: unexpected,
    ...answers,
  };
}
