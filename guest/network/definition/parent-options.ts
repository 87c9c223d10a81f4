import { InvalidParameter } from '../../errors.ts';
import type { ParentSettings } from '../network.ts';
import { linkName } from './bridge-options.ts';
import type { TakenOptions } from './taken-options.ts';

const macvlanModes = ['bridge', 'vepa', 'passthru', 'private'] as const;
const ipvlanModes = ['l2', 'l3', 'l3s'] as const;
const ipvlanFlags = ['bridge', 'private', 'vepa'] as const;

/** Driver options of a network on a link of the host. Throws InvalidParameter. */
export function parentOptions(
  driver: 'macvlan' | 'ipvlan',
  options: TakenOptions,
  { dummyName, links }: { readonly dummyName: string; readonly links: ReadonlySet<string> },
): ParentSettings {
  const parent = options.text('parent', linkName);
  const mode =
    driver === 'macvlan'
      ? (options.word('macvlan_mode', macvlanModes) ?? 'bridge')
      : (options.word('ipvlan_mode', ipvlanModes) ?? 'l2');
  const flag = driver === 'ipvlan' ? (options.word('ipvlan_flag', ipvlanFlags) ?? 'bridge') : null;
  if (parent === null) return { linkName: dummyName, own: 'dummy', mode, flag };
  if (links.has(parent)) return { linkName: parent, own: null, mode, flag };
  const base = /^(.+)\.\d{1,4}$/.exec(parent)?.[1];
  if (base !== undefined && links.has(base)) return { linkName: parent, own: 'vlan', mode, flag };
  throw new InvalidParameter(`invalid subinterface or parent "${parent}": this host has no such link`);
}
