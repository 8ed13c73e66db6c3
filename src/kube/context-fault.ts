/** What a kubeconfig says of its contexts. */
interface Contexts {
  readonly contexts: readonly { readonly name: string; readonly cluster: string }[];
  readonly clusters: readonly { readonly name: string }[];
  readonly currentContext: string;
}

/** Why the current context leads to no cluster; undefined where it does. */
export function contextFault(config: Contexts): string | undefined {
  const { contexts, clusters, currentContext } = config;
  if (contexts.length === 0) return 'it is no kubeconfig, or has no contexts';
  const named = `it has ${contexts.map(({ name }) => JSON.stringify(name)).join(', ')}`;
  if (!currentContext) return `it says of no context that it is the current one: ${named}`;
  const context = contexts.find(({ name }) => name === currentContext);
  const wanted = `the context ${JSON.stringify(currentContext)}`;
  if (context === undefined) return `it lacks ${wanted}: ${named}`;
  if (clusters.some(({ name }) => name === context.cluster)) return undefined;
  return `${wanted} names the cluster ${JSON.stringify(context.cluster)}, which it lacks`;
}
