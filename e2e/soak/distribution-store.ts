import { copyTag, pushImage } from '../support/image.ts';
import type { Registry } from '../support/registry.ts';
import type { TagStore } from './soak-tag.ts';

/** The tags of a real registry, which is reached past all that breaks connections. */
export function distributionStore(registry: Registry): TagStore {
  return {
    push: (repository, version) => pushImage({ registry, repository, tag: version }),
    point: (repository, tag, version) => copyTag({ registry, repository, tag: version }, tag),
    remove: async (repository, tag) => {
      const url = `http://${registry.host}/v2/${repository}/manifests/${tag}`;
      const response = await fetch(url, { method: 'DELETE', headers: authorization(registry) });
      if (!response.ok) throw new Error(`DELETE ${url} answered ${response.status}`);
    },
  };
}

function authorization({ account }: Registry): Record<string, string> {
  if (account === undefined) return {};
  const basic = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  return { authorization: `Basic ${basic}` };
}
