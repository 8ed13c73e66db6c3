import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, sep } from 'node:path';

/**
 * Whether links lead from a path that was found in a folder, or is to be written there, to a place
 * that is not in it: whoever wrote the links of a checkout is not to choose what is changed elsewhere.
 *
 * @throws Error where the system does not follow a link
 */
export function leadsOut(folder: string, path: string): boolean {
  // Nothing leads anywhere from a folder that is not there yet.
  if (!existsSync(folder)) return false;
  return !isBelow(realpathSync(folder), realpathSync(nearestThere(path)));
}

/** What is to be made has no links; what it is made in may be one. */
function nearestThere(path: string): string {
  return existsSync(path) ? path : nearestThere(dirname(path));
}

/** Of two real paths. */
function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
