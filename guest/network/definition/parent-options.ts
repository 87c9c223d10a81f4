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
  dummyName: string,
): ParentSettings {
  const parent = options.text('parent', linkName);
  const mode =
    driver === 'macvlan'
      ? (options.word('macvlan_mode', macvlanModes) ?? 'bridge')
      : (options.word('ipvlan_mode', ipvlanModes) ?? 'l2');
  const flag = driver === 'ipvlan' ? (options.word('ipvlan_flag', ipvlanFlags) ?? 'bridge') : null;
  if (parent === null) return { linkName: dummyName, own: 'dummy', mode, flag };
  return { linkName: parent, own: /\.\d{1,4}$/.test(parent) ? 'vlan' : null, mode, flag };
}
