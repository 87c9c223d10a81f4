import { createHash } from 'node:crypto';
import type { ResolverPlace } from './dns/machine-resolver.ts';

/** How this engine's networks share a host with others: each engine needs a bridge name of its own. */
export interface NetworkOptions {
  /** Name of the default network's bridge link; names the nftables table too. */
  readonly bridgeName: string;
  /** Its subnet; null: the one it had before, at first the first free of the usual ones. */
  readonly bridgeSubnet: string | null;
  /**
   * Address of the host that forwards its ports to this one: what containers publish, it reaches at any
   * address of ours (wire/published-ports.ts), and so does whatever comes by its link. Null: nobody does.
   */
  readonly publishThrough: string | null;
  /** Where names are asked for that the host in front resolves (wire/host-names.ts). Null: nowhere. */
  readonly resolverPlace: ResolverPlace | null;
  /** Sandboxes for the default network that are made ahead. */
  readonly spareSandboxes: number;
}

/** For an engine that has the host to itself. */
export const defaultNetworkOptions: NetworkOptions = {
  bridgeName: 'docker0',
  bridgeSubnet: null,
  publishThrough: null,
  resolverPlace: null,
  spareSandboxes: 3,
};

/** The engine's table, `inet <name>`; nft's names know no dash. */
export function firewallTable({ bridgeName }: NetworkOptions): string {
  return `machine_${bridgeName.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;
}

/**
 * Where this engine begins its search for a free block. Engines side by side on one host make their bridges
 * late, so the routes do not show them: they begin at different places. People expect `docker0` to begin with
 * the first.
 */
export function firstPool({ bridgeName }: NetworkOptions): number {
  if (bridgeName === defaultNetworkOptions.bridgeName) return 0;
  return createHash('sha256').update(bridgeName).digest().readUInt32LE();
}
