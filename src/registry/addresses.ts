import { BlockList, isIP } from 'node:net';

/** Of which kind an address is, as far as it matters to who may dial it. */
export type AddressKind = 'never' | 'loopback' | 'private' | 'public';

/** The ranges of RFC 6890 and of the clouds' metadata services that are no registry's, ever. */
const NEVER = [
  '0.0.0.0/8',
  // Oracle's older metadata service lies in it.
  '192.0.0.0/24',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '::/128',
  'fe80::/10',
  'ff00::/8',
  // Addresses that wrap one of IPv4 in ways that no network has any more: Teredo (RFC 4380), and
  // the translated ones of RFC 2765.
  '2001::/32',
  '::ffff:0:0:0/96',
  // All that Amazon's instances have beside them: metadata, the Pod Identity agent, DNS, time.
  'fd00:ec2::/32',
  // Google, Oracle, Scaleway, Linode, Alibaba.
  'fd20:ce::254/128',
  'fd00:c1::a9fe:a9fe/128',
  'fd00:42::42/128',
  'fd00:a9fe:a9fe::1/128',
  'fd00:100::100:200/128',
];
/** The retired IPv4-compatible addresses (RFC 4291 section 2.5.5.1): `::/96` but for `::` and `::1`. */
const IPV4_COMPATIBLE = ['::2', '::ffff:ffff'] as const;

/** Loopback: no registry may have it unless the operator allows it in these words. */
export const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128'];

const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '198.18.0.0/15',
  'fc00::/7',
  'fec0::/10',
  // NAT64 with a prefix of the site's own choice (RFC 8215): what lies behind cannot be read off it.
  '64:ff9b:1::/48',
];

/** Tells the kinds of addresses apart; anything that is no address is `never`. */
export function createAddressKinds(): (address: string) => AddressKind {
  const never = createRanges(NEVER);
  const loopback = createRanges(LOOPBACK);
  const privately = createRanges(PRIVATE);
  const compatible = new BlockList();
  compatible.addRange(...IPV4_COMPATIBLE, 'ipv6');
  return (address) => {
    const known = isIP(address) !== 0;
    if (!known || never(address) || holds(compatible, address)) return 'never';
    if (loopback(address)) return 'loopback';
    return privately(address) ? 'private' : 'public';
  };
}

/**
 * Whether an address lies in one of the ranges (`10.0.0.0/8`). IPv4 ranges hold also in the forms
 * in which NAT64 (RFC 6052) and 6to4 (RFC 3056) wrap them.
 */
export function createRanges(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits = ''] = range.split('/');
    if (isIP(address) === 6) {
      list.addSubnet(address, Number(bits), 'ipv6');
      continue;
    }
    const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
    const [high, low] = [a * 256 + b, c * 256 + d].map((part) => part.toString(16));
    list.addSubnet(address, Number(bits), 'ipv4');
    list.addSubnet(`64:ff9b::${high}:${low}`, 96 + Number(bits), 'ipv6');
    list.addSubnet(`2002:${high}:${low}::`, 16 + Number(bits), 'ipv6');
  }
  return (address) => holds(list, address);
}

function holds(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
