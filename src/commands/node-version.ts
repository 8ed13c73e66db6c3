/**
 * What is wrong with the Node that this runs on; undefined where nothing is.
 *
 * @param engines as package.json has it: `>=24.12`
 * @param version as `process.versions.node` has it
 */
export function nodeFault(engines: string, version: string): string | undefined {
  const least = engines.replace('>=', '');
  const [wanted, found] = [numbersOf(least), numbersOf(version)];
  const differing = wanted.findIndex((number, at) => number !== found[at]);
  if (differing === -1 || (found[differing] ?? 0) > (wanted[differing] ?? 0)) return undefined;
  return `Node ${least} or later is needed, and this is ${version}`;
}

function numbersOf(version: string): readonly number[] {
  return version.split('.').map(Number);
}
