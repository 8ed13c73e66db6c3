import { shownName } from './shown-name.ts';
import type { TarMember } from './tar-members.ts';

/** How many characters owner, group and size take at least, as `tar -tv` has it. */
const OWNER_WIDTH = 19;

/** What GNU tar writes in front of the permissions. */
const LETTERS: Readonly<Record<string, string>> = {
  '0': '-',
  '1': 'h',
  '2': 'l',
  '3': 'c',
  '4': 'b',
  '5': 'd',
  '6': 'p',
  '7': 'C',
  D: 'd',
  M: 'M',
  S: '-',
  V: 'V',
};

/** What links lead to, by type. */
const LINKS: Readonly<Record<string, string>> = { '1': ' link to ', '2': ' -> ' };

/** Writes a member's name as `tar -t` does. */
export function shortLine({ path }: TarMember): string {
  return shownName(path);
}

/** Writes lines as `tar -tv` does; times are UTC. A column gets wider with the widest line so far. */
export function createLongLines(): (member: TarMember) => string {
  let width = OWNER_WIDTH;
  return (member) => {
    const owner = `${nameOr(member.user, member.userId)}/${nameOr(member.group, member.groupId)}`;
    const size = sizeOf(member);
    width = Math.max(width, owner.length + 1 + size.length);
    const time = timeOf(member.modifiedAtS);
    const columns = `${permissions(member)} ${owner} ${size.padStart(width - owner.length - 1)}`;
    return `${columns} ${time} ${shownName(member.path)}${linkOf(member)}`;
  };
}

/** The report for programs. Bytes of names that are no UTF-8 become U+FFFD. */
export function plainMember(member: TarMember): object {
  const { type, path, linkPath, mode, userId, groupId, sizeBytes, modifiedAtS } = member;
  return {
    path: path.toString('utf8'),
    type: typeName(member),
    sizeBytes,
    mode: (mode & 0o7777).toString(8).padStart(4, '0'),
    user: member.user.toString('utf8'),
    group: member.group.toString('utf8'),
    userId,
    groupId,
    modified: dateOf(modifiedAtS)?.toISOString(),
    ...(type in LINKS && { target: linkPath.toString('utf8') }),
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  '-': 'file',
  C: 'file',
  h: 'link',
  l: 'symlink',
  c: 'character-device',
  b: 'block-device',
  d: 'directory',
  p: 'fifo',
};

function typeName(member: TarMember): string {
  return TYPE_NAMES[letterOf(member)] ?? 'unknown';
}

/** Archives that are older than POSIX have a slash behind the names of folders, and no type of them. */
function letterOf({ type, path }: TarMember): string {
  if (type === '0' && path.at(-1) === '/'.codePointAt(0)) return 'd';
  return LETTERS[type] ?? '?';
}

function permissions(member: TarMember): string {
  const bits = [0o400, 0o200, 0o100, 0o40, 0o20, 0o10, 4, 2, 1];
  const letters = bits.map((bit, index) =>
    (member.mode & bit) === 0 ? '-' : 'rwx'.charAt(index % 3),
  );
  const special = [
    [0o4000, 2, 'sS'],
    [0o2000, 5, 'sS'],
    [0o1000, 8, 'tT'],
  ] as const;
  for (const [bit, at, [both, alone]] of special) {
    if ((member.mode & bit) !== 0) letters[at] = letters[at] === 'x' ? (both ?? '') : (alone ?? '');
  }
  return letterOf(member) + letters.join('');
}

function sizeOf(member: TarMember): string {
  if (member.type !== '3' && member.type !== '4') return String(member.sizeBytes);
  return `${member.device.major},${member.device.minor}`;
}

function nameOr(name: Buffer, id: number): string {
  return name.length > 0 ? shownName(name) : String(id);
}

function linkOf({ type, linkPath }: TarMember): string {
  const arrow = LINKS[type];
  return arrow === undefined ? '' : `${arrow}${shownName(linkPath)}`;
}

function dateOf(seconds: number): Date | undefined {
  const date = new Date(Math.floor(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function timeOf(seconds: number): string {
  const date = dateOf(seconds);
  return date === undefined
    ? String(seconds)
    : date.toISOString().replace(/T(\d\d:\d\d).*$/, ' $1');
}
