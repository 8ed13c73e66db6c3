import { PinError } from '../../errors.ts';
import { describeError, type Logger } from '../../log.ts';
import { createReloaded } from '../../reloaded.ts';
import type { Authorities, FindAuthorities } from '../pools.ts';
import { idOf, readAuthorities } from './tls-files.ts';

/**
 * Reads items `HOST[:PORT]=FILE`, port 443 where none is given, and reads a file again when it
 * changes. Throws `invalid_config` where one cannot be read to begin with; later the last good one
 * serves. It says whom to trust, not where to go: a private address needs `--allow-registry` too.
 */
export function createAuthorities(items: readonly string[], log: Logger): FindAuthorities {
  const filesByHost = new Map<string, string[]>();
  for (const item of items) {
    const { host, file } = split(item);
    filesByHost.set(host, [...(filesByHost.get(host) ?? []), file]);
  }
  const byHost = new Map([...filesByHost].map(([host, files]) => [host, createReader(files, log)]));
  for (const read of byHost.values()) read();
  return (url) => byHost.get(url.host)?.();
}

/** The host as `URL.host` writes it for https: in lower case, without the port 443. */
function split(item: string): { readonly host: string; readonly file: string } {
  const equals = item.indexOf('=');
  const host = item.slice(0, equals);
  const url = URL.parse(`https://${host}`);
  const isPlain = /^[\w.[\]:-]+$/.test(host);
  if (isPlain && url?.host === host.toLowerCase().replace(/:443$/, '')) {
    return { host: url.host, file: item.slice(equals + 1) };
  }
  const message = `Cannot use --registry-ca: ${JSON.stringify(host)} is no host with a port`;
  throw new PinError('invalid_config', message);
}

function createReader(files: readonly string[], log: Logger): () => Authorities {
  return createReloaded({
    read: (see) => {
      for (const file of files) see(file);
      const ca = files.flatMap(readAuthorities);
      return { id: idOf(ca), ca };
    },
    observeFailure: (error) =>
      log.warn(
        { files, serves: 'the version before', ...describeError(error) },
        'authorities not used',
      ),
  });
}
