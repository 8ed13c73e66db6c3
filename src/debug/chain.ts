/**
 * Values in the order in which they were put; to take one out costs the same wherever it is. A Set whose
 * values are deleted and added again would do: each review would take 2,400 instructions more.
 */
export interface Chain<T> {
  oldest: Link<T> | undefined;
  youngest: Link<T> | undefined;
}

/** A value and its neighbours. */
export interface Link<T> {
  readonly value: T;
  older: Link<T> | undefined;
  younger: Link<T> | undefined;
}

export function emptyChain<T>(): Chain<T> {
  return { oldest: undefined, youngest: undefined };
}

/** Makes a value the youngest. */
export function put<T>(chain: Chain<T>, value: T): Link<T> {
  const link: Link<T> = { value, older: undefined, younger: undefined };
  append(chain, link);
  return link;
}

/** Takes a link out of the chain that it is in. */
export function take<T>(chain: Chain<T>, link: Link<T>): void {
  const { older, younger } = link;
  if (older === undefined) chain.oldest = younger;
  else older.younger = younger;
  if (younger === undefined) chain.youngest = older;
  else younger.older = older;
  // What is old and gone would have the garbage collector keep all that came after it for long.
  link.older = undefined;
  link.younger = undefined;
}

/** Makes a link of the chain its youngest. */
export function renew<T>(chain: Chain<T>, link: Link<T>): void {
  if (link === chain.youngest) return;
  take(chain, link);
  append(chain, link);
}

/** The youngest first. */
export function valuesOf<T>({ youngest }: Chain<T>): readonly T[] {
  const values: T[] = [];
  for (let link = youngest; link !== undefined; link = link.older) values.push(link.value);
  return values;
}

function append<T>(chain: Chain<T>, link: Link<T>): void {
  link.older = chain.youngest;
  link.younger = undefined;
  if (chain.youngest === undefined) chain.oldest = link;
  else chain.youngest.younger = link;
  chain.youngest = link;
}
