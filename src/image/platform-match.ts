import { normalizePlatform, type Platform } from './platform.ts';

// The rules of github.com/containerd/platforms v1.0.0-rc.5 (compare.go, Only(), and
// platform_windows_compat.go), by which nodes choose.

/** How well a platform suits: the lower, the better; undefined where it does not run there. */
export type RankPlatform = (platform: Platform) => number | undefined;

/** What is newer is nothing but a long list. */
const NEWEST_VERSION = 64;
const OLDEST_ARM = 5;
/** Of each arm64: the last minor version of its own major one, and of ARMv8, that it runs. */
const NEWEST_ARMV8_MINOR = 9;
const ARMV9_MINORS = 7;
const ARMV8_BEHIND_ARMV9 = 5;

/** More than any image has; ranks of features stay below it. */
const FEATURES_END = 1_000_000;

/** Windows Server 2022 and 2025, from which on older containers run: their builds. */
const STABLE_BUILDS: readonly number[] = [20_348, 26_100];
const MAX_BYTE = 255;
const MAX_BUILD = 65_535;

/**
 * Ranks what runs on a platform, as containerd does: first the platform itself, then what it runs
 * besides, such as arm/v6 on arm/v7; of the same, what uses most of the features of the operating
 * system comes first.
 */
export function rankFor(wanted: Platform): RankPlatform {
  const steps = stepsOf(normalizePlatform(wanted)).map(matcherOf);
  return (platform) => {
    const step = steps.findIndex((matches) => matches(platform));
    if (step === -1) return undefined;
    return (step + 1) * FEATURES_END - Math.min(platform.osFeatures.length, FEATURES_END - 1);
  };
}

/** Tells whether an entry of an index is no image: BuildKit gives its attestations this platform. */
export function isUnknown({ os, architecture }: Platform): boolean {
  return os === 'unknown' || architecture === 'unknown';
}

type Instructions = Pick<Platform, 'architecture' | 'variant'>;

function stepsOf(wanted: Platform): Platform[] {
  return instructionsOf(wanted).map((instructions) =>
    normalizePlatform({ ...wanted, ...instructions }),
  );
}

/** What a processor runs, the best first. */
function instructionsOf({ architecture, variant }: Instructions): Instructions[] {
  const own = { architecture, variant };
  if (architecture === 'amd64') {
    return [own, ...olderThan(own, 1), { architecture: '386', variant: '' }];
  }
  if (architecture === 'arm') return [own, ...olderThan(own, OLDEST_ARM)];
  if (architecture === 'arm64') return arm64InstructionsOf(variant === '' ? 'v8' : variant);
  return [own];
}

/** From the version before the own one to the oldest. */
function olderThan({ architecture, variant }: Instructions, oldest: number): Instructions[] {
  const version = /^v?\d+$/.test(variant) ? Number(variant.replace('v', '')) : 0;
  const newest = Math.min(version - 1, NEWEST_VERSION);
  return Array.from({ length: Math.max(newest - oldest + 1, 0) }, (_, index) => ({
    architecture,
    variant: `v${newest - index}`,
  }));
}

/** No 64-bit processor is a newer 32-bit one than ARMv8. */
function arm64InstructionsOf(variant: string): Instructions[] {
  const [, major = '', minorText = '0'] = /^v([89])(?:\.(\d))?$/.exec(variant) ?? [];
  const minor = Number(minorText);
  const narrow = variant.startsWith('v8') || variant.startsWith('v9') ? 'v8' : variant;
  const wide =
    major === '8'
      ? minorsDownFrom(8, minor)
      : major === '9' && minor <= ARMV9_MINORS
        ? [
            ...minorsDownFrom(9, minor),
            ...minorsDownFrom(8, Math.min(minor + ARMV8_BEHIND_ARMV9, NEWEST_ARMV8_MINOR)),
          ]
        : [];
  if (wide.length === 0) return [];
  return [...wide, ...instructionsOf({ architecture: 'arm', variant: narrow })];
}

function minorsDownFrom(major: number, newest: number): Instructions[] {
  return Array.from({ length: newest + 1 }, (_, index) => {
    const minor = newest - index;
    return { architecture: 'arm64', variant: minor === 0 ? `v${major}` : `v${major}.${minor}` };
  });
}

function matcherOf(step: Platform): (platform: Platform) => boolean {
  const isWindows = step.os === 'windows';
  const runsVersion = isWindows ? windowsMatcherOf(step.osVersion) : (): boolean => true;
  return (platform) => {
    const other = normalizePlatform(isWindows ? withoutWin32k(platform) : platform);
    return (
      step.os === other.os &&
      step.architecture === other.architecture &&
      step.variant === other.variant &&
      runsVersion(platform.osVersion) &&
      other.osFeatures.every((feature) => step.osFeatures.includes(feature))
    );
  };
}

/** The feature was not looked at once, and is not yet. */
function withoutWin32k(platform: Platform): Platform {
  const at = platform.osFeatures.indexOf('win32k');
  return at === -1 ? platform : { ...platform, osFeatures: platform.osFeatures.toSpliced(at, 1) };
}

interface WindowsVersion {
  readonly major: number;
  readonly minor: number;
  readonly build: number;
}

const NO_VERSION: WindowsVersion = { major: 0, minor: 0, build: 0 };

/** Which versions' containers a Windows of this version runs; any, where none is said. */
function windowsMatcherOf(version: string): (other: string) => boolean {
  const host = parseWindowsVersion(version);
  return (other) => {
    if (other === '' || isNone(host)) return true;
    const container = parseWindowsVersion(other);
    if (container.major !== host.major || container.minor !== host.minor) return false;
    return oldestBuildOn(host.build) <= container.build && container.build <= host.build;
  };
}

function isNone({ major, minor, build }: WindowsVersion): boolean {
  return major === 0 && minor === 0 && build === 0;
}

/** Before 2022 the own one alone; later that of the long-term release before the one it belongs to. */
function oldestBuildOn(build: number): number {
  const generation = STABLE_BUILDS.findLastIndex((stable) => build >= stable);
  return generation === -1 ? build : (STABLE_BUILDS[Math.max(generation - 1, 0)] ?? build);
}

function parseWindowsVersion(text: string): WindowsVersion {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:\.|$)/.exec(text);
  const [major = 0, minor = 0, build = 0] = match?.slice(1).map(Number) ?? [];
  const isValid = major <= MAX_BYTE && minor <= MAX_BYTE && build <= MAX_BUILD;
  return isValid ? { major, minor, build } : NO_VERSION;
}
