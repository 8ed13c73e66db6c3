import { PinError } from '../errors.ts';
import type { Fields } from './document.ts';
import { printable, quoted } from './printable.ts';

/** Where an image runs (OCI image specification, image-index.md). Empty is what is not said. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  /** Of Windows: `10.0.17763.1234`. */
  readonly osVersion: string;
  readonly osFeatures: readonly string[];
}

// Grammar, normalisation and spelling of github.com/containerd/platforms v1.0.0-rc.5 (platforms.go,
// database.go), by which nodes choose.
const OS = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$/;
const COMPONENT = /^[A-Za-z0-9_.-]+$/;
/** What stands for itself in the text of a platform. */
const OPTION_SIGNS = /[%+()/]/g;

const MAX_QUOTED_CHARS = 64;

/** What an operating system is that is not said: that of the nodes. */
const NODE_OS = 'linux';
const OS_NAMES: ReadonlyMap<string, string> = new Map([['macos', 'darwin']]);

type ArchitectureRule = (variant: string) => readonly [architecture: string, variant: string];

const as = (architecture: string, variants: Readonly<Record<string, string>>): ArchitectureRule => {
  const known = new Map(Object.entries(variants));
  return (variant) => [architecture, known.get(variant) ?? variant];
};
const AMD64 = as('amd64', { v1: '' });
const ARM64 = as('arm64', { 8: '', v8: '', 'v8.0': '', 9: 'v9', '9.0': 'v9', 'v9.0': 'v9' });

const ARCHITECTURES: ReadonlyMap<string, ArchitectureRule> = new Map([
  ['i386', () => ['386', '']],
  ['x86_64', AMD64],
  ['x86-64', AMD64],
  ['amd64', AMD64],
  ['aarch64', ARM64],
  ['arm64', ARM64],
  ['armhf', () => ['arm', 'v7']],
  ['armel', () => ['arm', 'v6']],
  ['arm', as('arm', { '': 'v7', 7: 'v7', 5: 'v5', 6: 'v6', 8: 'v8' })],
]);

/** The platform that an object of JSON says. Throws PinError `unsupported_manifest`. */
export function readPlatform(fields: Fields): Platform {
  return {
    os: fields.text('os') ?? '',
    architecture: fields.text('architecture') ?? '',
    variant: fields.text('variant') ?? '',
    osVersion: fields.text('os.version') ?? '',
    osFeatures: fields.texts('os.features'),
  };
}

/**
 * Reads `os/arch[/variant]`, where the system may be followed by its version and features in
 * brackets: `windows(10.0.17763+win32k)/amd64`. As containerd does, but for a platform of one word,
 * the rest of which is that of the machine.
 *
 * @throws PinError `invalid_config`
 */
export function parsePlatform(text: string): Platform {
  const [system = '', architecture, variant, ...more] = text.split('/');
  const [, name, version = '', features = ''] = OS.exec(system) ?? [];
  const components = [architecture, variant].filter((part) => part !== undefined);
  const isWellFormed = components.every((part) => COMPONENT.test(part));
  if (name === undefined || architecture === undefined || more.length > 0 || !isWellFormed) {
    throw malformed(text);
  }
  const [known, knownVariant] = normalizeArchitecture(architecture, variant ?? '');
  return {
    os: normalizeOs(name),
    architecture: known,
    variant: spelledVariant(known, knownVariant, variant !== undefined),
    osVersion: decodeOption(version, text),
    osFeatures: features
      .split('+')
      .slice(1)
      .map((feature) => decodeOption(feature, text)),
  };
}

/** Writes a platform as containerd does, and without what could spoil a line: it may be a stranger's. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant, osVersion } = platform;
  if (os === '') return 'unknown';
  const features = [...new Set(platform.osFeatures)].filter((feature) => feature !== '').toSorted();
  const options = [
    encodeOption(osVersion),
    ...features.map((feature) => `+${encodeOption(feature)}`),
  ];
  const written = options.join('');
  const system = written === '' ? os : `${os}(${written})`;
  return printable([system, architecture, variant].filter((part) => part !== '').join('/'));
}

/** The same platform in the one spelling by which platforms are compared. */
export function normalizePlatform(platform: Platform): Platform {
  const { os, architecture, variant } = platform;
  const [known, knownVariant] = normalizeArchitecture(architecture, variant);
  const osFeatures = [...new Set(platform.osFeatures)];
  return {
    ...platform,
    os: normalizeOs(os),
    architecture: known,
    variant: knownVariant,
    osFeatures,
  };
}

/** The one variant that goes without saying is said where the user said any. */
function spelledVariant(architecture: string, variant: string, isSaid: boolean): string {
  if (architecture === 'arm' && variant === 'v7' && !isSaid) return '';
  return architecture === 'arm64' && variant === '' && isSaid ? 'v8' : variant;
}

function normalizeOs(os: string): string {
  const lower = os.toLowerCase();
  return lower === '' ? NODE_OS : (OS_NAMES.get(lower) ?? lower);
}

function normalizeArchitecture(
  architecture: string,
  variant: string,
): readonly [architecture: string, variant: string] {
  const [lower, lowerVariant] = [architecture.toLowerCase(), variant.toLowerCase()];
  return ARCHITECTURES.get(lower)?.(lowerVariant) ?? [lower, lowerVariant];
}

function decodeOption(option: string, text: string): string {
  try {
    return decodeURIComponent(option);
  } catch {
    throw malformed(text);
  }
}

function encodeOption(option: string): string {
  return option.replace(
    OPTION_SIGNS,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function malformed(text: string): PinError {
  const message = `${quoted(text, MAX_QUOTED_CHARS)} is no platform: write it as linux/amd64 or linux/arm/v7`;
  return new PinError('invalid_config', message);
}
