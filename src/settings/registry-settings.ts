import type { Settings } from './setting.ts';
import {
  choiceOf,
  parseCidrs,
  parseFilesByHost,
  parseHosts,
  parseList,
  parseText,
} from './values.ts';

/** What every command that talks to a registry is told. */
export interface RegistrySettings {
  readonly plainHttp: readonly string[];
  readonly allowAddress: readonly string[];
  readonly allowRegistry: readonly string[];
  readonly allowRegistryFile: string | undefined;
  readonly registryCa: readonly string[];
  readonly hostsDir: string | undefined;
  readonly registriesConf: string | undefined;
  readonly verifyByDigest: readonly string[];
  readonly shortNames: ShortNames;
}

/** Where `nginx`, without a registry, is looked for. */
type ShortNames = 'docker.io' | 'refuse';

export const REGISTRY_SETTINGS: Settings<RegistrySettings> = {
  plainHttp: {
    flag: '--plain-http HOST[:PORT],…',
    fallback: '',
    text: 'Registries (with * for any text) that speak http without TLS; without a port, port 80. They may have private addresses.',
    parse: parseHosts,
  },
  allowAddress: {
    flag: '--allow-address CIDR,…',
    fallback: '',
    text: 'Addresses that an image may name as a literal, and loopback addresses that a name may resolve to.',
    parse: parseCidrs,
  },
  allowRegistry: {
    flag: '--allow-registry HOST[:PORT],…',
    fallback: '',
    text: 'Registries (with * for any text; 10.1.2.* is addresses alone) that may have private addresses; without a port, port 443.',
    parse: parseHosts,
  },
  allowRegistryFile: {
    flag: '--allow-registry-file FILE',
    fallback: undefined,
    text: 'More of them, one a line; what follows a # does not count. Read again when it changes.',
    parse: parseText,
  },
  registryCa: {
    flag: '--registry-ca HOST[:PORT]=FILE,…',
    fallback: '',
    text: 'Authorities (PEM) to trust for one registry or token server, beside those of the system. Read again when they change.',
    parse: parseFilesByHost,
  },
  hostsDir: {
    flag: '--hosts-dir DIRECTORIES',
    fallback: undefined,
    text: "Containerd's config_path: directories of hosts.toml files, with : between them. Read again when they change.",
    parse: parseText,
  },
  registriesConf: {
    flag: '--registries-conf FILE',
    fallback: undefined,
    text: "Podman's and CRI-O's registries.conf, with the directory registries.conf.d beside it. Read again when they change.",
    parse: parseText,
  },
  verifyByDigest: {
    flag: '--verify-by-digest HOST/PREFIX,…',
    fallback: '',
    text: 'Images of which a digest is pinned only after the registry has served it by that digest: pull-through caches need it.',
    parse: parseList,
  },
  shortNames: {
    flag: '--short-names WHERE',
    fallback: 'docker.io',
    text: 'What a name without a registry means: "docker.io", or "refuse" where nodes of CRI-O look elsewhere.',
    parse: choiceOf<ShortNames>('docker.io', 'refuse'),
  },
};
