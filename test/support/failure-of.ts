import { PinError } from '../../src/errors.ts';

/** The PinError with which something fails; whatever else comes of it is thrown. */
export async function failureOf(action: Promise<unknown>): Promise<PinError> {
  try {
    await action;
  } catch (caught) {
    if (caught instanceof PinError) return caught;
    throw caught;
  }
  throw new Error('it did not fail');
}
