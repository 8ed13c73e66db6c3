interface Named {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** A cluster-wide object as a file has it, from which it can be made again: what the API server adds is left out. */
export function asFile<T extends Named>(object: T): T {
  const { name, labels } = object.metadata;
  return { ...object, metadata: { name, ...(labels && { labels }) } };
}
