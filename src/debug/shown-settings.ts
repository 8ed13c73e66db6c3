import { SERVE_SETTINGS, type ServeSettings } from '../config.ts';

/** What says how images are looked up and pinned; no address of others, no file with a secret. */
const SHOWN = [
  'referenceForm',
  'skip',
  'skipOwner',
  'extraKind',
  'refreshPolicy',
  'siblingPins',
  'allowSkipInEnforce',
  'cluster',
  'cacheTtl',
  'staleIfError',
  'cacheEntries',
  'allowRegistry',
  'allowAddress',
  'plainHttp',
  'hostsDir',
  'registriesConf',
  'verifyByDigest',
  'shortNames',
  'cloudCredentials',
  'ownCredentialsNamespaces',
  'ownCredentialsImages',
  'anonymousFallback',
  'certificates',
  'drainTime',
  'logLevel',
] as const satisfies readonly (keyof ServeSettings)[];

/** Values by flag. */
export function shownSettings(settings: ServeSettings): Readonly<Record<string, string>> {
  return Object.fromEntries(
    SHOWN.map((name) => {
      const [flag = '', shape] = SERVE_SETTINGS[name].flag.split(' ');
      return [flag, shown(settings[name], { flag, shape })];
    }),
  );
}

/** A value in the spelling of its flag, or nearly. */
function shown(
  value: ServeSettings[(typeof SHOWN)[number]],
  { flag, shape }: { readonly flag: string; readonly shape: string | undefined },
): string {
  if (value === undefined) return '';
  if (typeof value === 'object') return value.join(',');
  if (typeof value === 'boolean') return String(flag.startsWith('--no-') ? !value : value);
  return shape === 'DURATION' ? `${value}ms` : String(value);
}
