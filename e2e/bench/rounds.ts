/**
 * What each contender measures in each of so many rounds. They take turns, A B A B, as a machine is
 * faster at one minute than at the next; every other round goes backwards, so that nobody always
 * follows the same one.
 */
export async function interleaved<Name extends string, Result>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<Result>>>,
): Promise<Readonly<Record<Name, readonly Result[]>>> {
  const names = Object.keys(contenders) as Name[];
  const results = Object.fromEntries(
    names.map((name) => [name, [] as Result[]]),
  ) as unknown as Record<Name, Result[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      results[name].push(await contenders[name]());
    }
  }
  return results;
}

/** Round by round, one through the other. */
export function ratiosOf(above: readonly number[], below: readonly number[]): number[] {
  return above.map((value, round) => value / (below[round] ?? Number.NaN));
}
