import { type PinError, toPinError } from '../errors.ts';

/** Asks of each image once for each account. A failure is an answer, too. */
export function once<T, Account>(
  ask: (image: string, account: Account) => Promise<T>,
): (image: string, account: Account) => Promise<T | PinError> {
  const asked = new Map<string, Promise<T | PinError>>();
  return (image, account) => {
    const key = JSON.stringify([image, account]);
    const answer = asked.get(key) ?? ask(image, account).catch(toPinError);
    asked.set(key, answer);
    return answer;
  };
}
