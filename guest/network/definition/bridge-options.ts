import { NotImplemented } from '../../errors.ts';
import { type BridgeSettings, type GatewayMode, gatewayModes } from '../network.ts';
import type { TakenOptions } from './taken-options.ts';

const prefix = 'com.docker.network.bridge';

/** What a link may be called (linux/if.h), and ip and nft take as one word. */
export const linkName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/;

/** Driver options of a bridge network. Throws InvalidParameter, NotImplemented for a mode that is not there. */
export function bridgeOptions(
  options: TakenOptions,
  ownName: string,
  links: ReadonlySet<string>,
): BridgeSettings {
  const name = options.text(`${prefix}.name`, linkName) ?? ownName;
  const bind = options.text(`${prefix}.host_binding_ipv4`, /^\d{1,3}(\.\d{1,3}){3}$/);
  return {
    linkName: name,
    foreign: links.has(name),
    interContainer: options.truth(`${prefix}.enable_icc`) ?? true,
    masquerade: options.truth(`${prefix}.enable_ip_masquerade`) ?? true,
    defaultBindAddress: bind === '0.0.0.0' ? null : bind,
    gatewayMode: {
      4: gatewayMode(options, `${prefix}.gateway_mode_ipv4`),
      6: gatewayMode(options, `${prefix}.gateway_mode_ipv6`),
    },
  };
}

function gatewayMode(options: TakenOptions, name: string): GatewayMode {
  const mode = options.word(name, [...gatewayModes, 'isolated']) ?? 'nat';
  if (mode === 'isolated') {
    throw new NotImplemented(
      `${name}=isolated is not there: name servers are at the gateway; --internal has no way out either`,
    );
  }
  return mode;
}
