/** What Jest hands over of a test file. */
interface TestFile {
  readonly path: string;
}

/**
 * The order in which the files run: by name, on each machine and each time alike. Jest's own is by their
 * sizes the first time and by their durations later, so that a file that leaves something behind for
 * another would fail on machines that never ran them alone.
 */
export default class FileOrder {
  sort(files: readonly TestFile[]): TestFile[] {
    return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Jest hands over how long each took; no order depends on it. */
  cacheResults(): void {}
}
