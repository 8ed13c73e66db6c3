import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

import { parseReference } from '../../../src/image/reference.ts';
import { createEndpoints } from '../../../src/registry/files/endpoints.ts';
import { createHostsDirectory } from '../../../src/registry/files/hosts-directory.ts';
import { createRegistriesConf } from '../../../src/registry/files/registries-files.ts';
import { createHosts, type Endpoint } from '../../../src/registry/hosts.ts';
import { Files } from '../../support/files.ts';
import { createRecordedLog } from '../../support/recorded-log.ts';

interface Asked {
  readonly plainHttp?: readonly string[];
  /** By path below the directory of hosts. */
  readonly hosts?: Readonly<Record<string, string>>;
  readonly conf?: string;
}

async function endpoints(image: string, asked: Asked): Promise<readonly Endpoint[]> {
  await using files = new Files();
  const { log } = createRecordedLog();
  for (const [path, text] of Object.entries(asked.hosts ?? {})) files.write(path, text);
  const registryOf = createHosts(asked.plainHttp ?? []);
  const found =
    asked.conf === undefined
      ? createHostsDirectory(files.directory, log)
      : createRegistriesConf(files.write('registries.conf', asked.conf), log);
  return await createEndpoints({ registryOf, files: found })(parseReference(image));
}

/** An endpoint in a line: where, whether the registry itself, named, any certificate, for whom. */
function line(endpoint: Endpoint): string {
  const { origin, root, repository, isRegistry, isFallback, connection, upstream } = endpoint;
  return [
    `${origin}${root}/${repository}`,
    ...(isRegistry ? ['registry'] : []),
    ...(isFallback === true ? ['fallback'] : []),
    ...(connection?.named === true ? ['named'] : []),
    ...(connection?.tls?.skipVerify === true ? ['any certificate'] : []),
    ...(upstream === undefined ? [] : [`ns=${upstream}`]),
  ].join(' ');
}

async function lines(image: string, asked: Asked): Promise<string[]> {
  return (await endpoints(image, asked)).map(line);
}

describe('createEndpoints()', () => {
  it('asks the registry itself where there are no files', async () => {
    const find = createEndpoints({ registryOf: createHosts([]), files: undefined });
    expect((await find(parseReference('nginx'))).map(line)).toEqual([
      'https://registry-1.docker.io/v2/library/nginx registry',
    ]);
  });
});

describe("createEndpoints() with containerd's files", () => {
  it('asks a mirror alone, by the file that docs/air-gapped.md shows', async () => {
    const page = new URL('../../../docs/air-gapped.md', import.meta.url);
    const [, text = ''] = /^```toml\n(.*?)^```$/ms.exec(readFileSync(page, 'utf8')) ?? [];
    expect(await lines('nginx', { hosts: { 'docker.io/hosts.toml': text } })).toEqual([
      'https://registry.corp.example/v2/docker-hub/library/nginx named ns=docker.io',
    ]);
  });

  it.each<[string, string, Record<string, string>, string[]]>([
    ['nothing is said of a registry', 'r.io/a', {}, ['https://r.io/v2/a registry']],
    [
      'a mirror is before the registry',
      'r.io:5000/team/a',
      { 'r.io_5000_/hosts.toml': '[host."https://m.io"]' },
      ['https://m.io/v2/team/a named ns=r.io:5000', 'https://r.io:5000/v2/team/a registry named'],
    ],
    [
      'a mirror must not resolve tags',
      'r.io/a',
      { 'r.io/hosts.toml': '[host."https://m.io"]\ncapabilities = ["pull"]' },
      ['https://r.io/v2/a registry named'],
    ],
    [
      'nobody may resolve tags',
      'r.io/a',
      { 'r.io/hosts.toml': 'server = "https://r.io"\ncapabilities = ["pull"]' },
      [],
    ],
    [
      'a server takes the place of the registry',
      'r.io/a',
      { '_default/hosts.toml': 'server = "https://m.io/x"' },
      ['https://m.io/x/v2/a named ns=r.io'],
    ],
    [
      '_default says nothing that names a registry',
      'r.io/a',
      { '_default/hosts.toml': '[host."http://m.io"]' },
      ['http://m.io/v2/a named ns=r.io', 'https://r.io/v2/a registry'],
    ],
    [
      '_default takes any certificate, and names nobody by that',
      'r.io/a',
      { '_default/hosts.toml': 'skip_verify = true' },
      ['https://r.io/v2/a registry any certificate'],
    ],
    [
      'the registry is listed among the hosts, and is the registry there',
      'r.io/a',
      { 'r.io/hosts.toml': 'server = "https://m.io"\n[host."https://r.io"]' },
      ['https://r.io/v2/a registry named', 'https://m.io/v2/a named ns=r.io'],
    ],
    [
      'the registry speaks http, as its own file says',
      'r.io:5000/a',
      { 'r.io:5000/hosts.toml': 'server = "http://r.io:5000"' },
      ['http://r.io:5000/v2/a registry named'],
    ],
    [
      'another port is another host',
      'r.io/a',
      { 'r.io/hosts.toml': 'server = "https://r.io:5000"' },
      ['https://r.io:5000/v2/a named ns=r.io'],
    ],
    [
      "Docker Hub's two names are one registry",
      'nginx',
      {
        'docker.io/hosts.toml':
          'server = "https://docker.io"\n[host."https://registry-1.docker.io"]\n[host."https://m.io"]',
      },
      [
        'https://registry-1.docker.io/v2/library/nginx registry named',
        'https://m.io/v2/library/nginx named ns=docker.io',
        'https://registry-1.docker.io/v2/library/nginx registry named',
      ],
    ],
    [
      'http with settings of TLS is https first',
      'r.io/a',
      { 'r.io/hosts.toml': 'server = "http://m.io:5000"\nskip_verify = true' },
      [
        'https://m.io:5000/v2/a named any certificate ns=r.io',
        'http://m.io:5000/v2/a fallback named any certificate ns=r.io',
      ],
    ],
    [
      'a path of its own has no /v2',
      'r.io/a',
      { 'r.io/hosts.toml': 'server = "https://m.io/proxy/r"\noverride_path = true' },
      ['https://m.io/proxy/r/a named ns=r.io'],
    ],
  ])('%s', async (_what, ...[image, hosts, expected]) => {
    expect(await lines(image, { hosts })).toEqual(expected);
  });

  it('passes on headers and the time limit, each to its own host', async () => {
    const text =
      'dial_timeout = "5s"\n[header]\nx-registry = "1"\n[host."https://m.io"]\ndial_timeout = "100ms"\n[host."https://m.io".header]\nx-mirror = "2"';
    expect(await endpoints('r.io/a', { hosts: { 'r.io/hosts.toml': text } })).toMatchObject([
      {
        registry: 'm.io',
        headers: { 'x-mirror': '2' },
        connection: { named: true, connectTimeoutMs: 100 },
      },
      {
        registry: 'r.io',
        headers: { 'x-registry': '1' },
        connection: { named: true, connectTimeoutMs: 5000 },
      },
    ]);
  });

  it('speaks http with the registry itself where --plain-http says so', async () => {
    const hosts = { '_default/hosts.toml': '' };
    expect(await lines('r.io/a', { hosts, plainHttp: ['r.io'] })).toEqual([
      'http://r.io/v2/a registry',
    ]);
  });

  it('refuses a name that is no host, whatever the files say', async () => {
    const hosts = { '_default/hosts.toml': 'server = "https://m.io"' };
    await expect(lines('2130706433:5000/a', { hosts })).rejects.toMatchObject({
      code: 'blocked_address',
    });
  });
});

describe('createEndpoints() with registries.conf', () => {
  it.each<[string, string, string, string[]]>([
    ['nothing is said of an image', 'r.io/a', '', ['https://r.io/v2/a registry']],
    [
      'mirrors are before the registry, without ns',
      'r.io/team/a',
      '[[registry]]\nlocation = "r.io"\n[[registry.mirror]]\nlocation = "m.io/cache"',
      ['https://m.io/v2/cache/team/a named', 'https://r.io/v2/team/a registry named'],
    ],
    [
      'another location is not the registry',
      'r.io/team/a',
      '[[registry]]\nprefix = "r.io/team"\nlocation = "internal.io/crew"',
      ['https://internal.io/v2/crew/a named'],
    ],
    [
      'another path of the same registry is',
      'r.io/team/a',
      '[[registry]]\nprefix = "r.io/team"\nlocation = "r.io/crew"',
      ['https://r.io/v2/crew/a registry named'],
    ],
    [
      'insecure is https with any certificate, then http',
      'r.io:5000/a',
      '[[registry]]\nlocation = "r.io:5000"\ninsecure = true',
      [
        'https://r.io:5000/v2/a registry named any certificate',
        'http://r.io:5000/v2/a registry fallback named',
      ],
    ],
    [
      'insecure and --plain-http is http alone',
      'plain.io/a',
      '[[registry]]\nlocation = "plain.io"\ninsecure = true',
      ['http://plain.io/v2/a registry named'],
    ],
    [
      'Docker Hub is rewritten by its normalised name',
      'nginx',
      '[[registry]]\nprefix = "docker.io/library"\nlocation = "docker.io/library"\n[[registry.mirror]]\nlocation = "m.io/hub"',
      [
        'https://m.io/v2/hub/nginx named',
        'https://registry-1.docker.io/v2/library/nginx registry named',
      ],
    ],
    [
      'a wildcard names hosts, but not the ports that an image names',
      'x.corp.io/a',
      '[[registry]]\nprefix = "*.corp.io"',
      ['https://x.corp.io/v2/a registry named'],
    ],
    [
      'a wildcard does not name a port',
      'x.corp.io:22/a',
      '[[registry]]\nprefix = "*.corp.io"',
      ['https://x.corp.io:22/v2/a registry'],
    ],
  ])('%s', async (_what, ...[image, conf, expected]) => {
    expect(await lines(image, { conf, plainHttp: ['plain.io'] })).toEqual(expected);
  });

  it('refuses what is blocked', async () => {
    const conf = '[[registry]]\nlocation = "r.io"\nblocked = true';
    await expect(lines('r.io/a', { conf })).rejects.toMatchObject({ code: 'blocked_address' });
  });
});
