import { CONFIGURATION, type Configuration } from './built-in.ts';
import type { Kubectl } from './kubectl.ts';

/**
 * Has the API server call every webhook by a path that holds a caller's token. Gives what has it call
 * by the paths of before.
 */
export async function callByToken(admin: Kubectl, token: string): Promise<() => Promise<void>> {
  const kind = 'mutatingwebhookconfiguration';
  const { webhooks } = await admin.get<Configuration>(kind, CONFIGURATION);
  const replace = async (urlOf: (url: string) => string): Promise<void> => {
    const patch = webhooks.map(({ clientConfig: { url } }, at) => ({
      op: 'replace',
      path: `/webhooks/${at}/clientConfig/url`,
      value: urlOf(url),
    }));
    const all = ['patch', kind, CONFIGURATION, '--type=json', `--patch=${JSON.stringify(patch)}`];
    await admin.run(all);
  };
  await replace((url) => {
    const { origin, pathname } = new URL(url);
    return `${origin}/caller/${token}${pathname}`;
  });
  return () => replace((url) => url);
}
