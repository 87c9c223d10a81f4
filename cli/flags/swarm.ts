import { Option } from 'commander';
import type { HostOptions } from '../../provisioning/machine-record.ts';
import { fromEnv } from './from-env.ts';
import { repeated } from './repeated.ts';

export interface SwarmFlags {
  readonly swarm?: boolean;
  readonly swarmMaster?: boolean;
  readonly swarmDiscovery: string;
  readonly swarmAddr: string;
  readonly swarmHost: string;
  readonly swarmImage: string;
  readonly swarmStrategy: string;
  readonly swarmOpt: readonly string[];
  readonly swarmJoinOpt: readonly string[];
  readonly swarmExperimental?: boolean;
}

/** docker-machine's, for scripts that still pass them: kept in the record and shown, never acted on. */
export function swarmFlags(): Option[] {
  return [
    fromEnv(new Option('--swarm'), 'MACHINE_SWARM'),
    new Option('--swarm-master'),
    new Option('--swarm-discovery <URL>').default(''),
    new Option('--swarm-addr <ADDRESS>').default(''),
    new Option('--swarm-host <URL>').default('tcp://0.0.0.0:3376'),
    fromEnv(new Option('--swarm-image <IMAGE>').default('swarm:latest'), 'MACHINE_SWARM_IMAGE'),
    new Option('--swarm-strategy <NAME>').default('spread'),
    new Option('--swarm-opt <KEY=VALUE>').default([]).argParser(repeated),
    new Option('--swarm-join-opt <KEY=VALUE>').default([]).argParser(repeated),
    new Option('--swarm-experimental'),
  ].map((option) => option.hideHelp());
}

export function swarmOptions(flags: SwarmFlags): HostOptions['SwarmOptions'] {
  return {
    IsSwarm: flags.swarm ?? false,
    Master: flags.swarmMaster ?? false,
    Discovery: flags.swarmDiscovery,
    Address: flags.swarmAddr,
    Host: flags.swarmHost,
    Image: flags.swarmImage,
    Strategy: flags.swarmStrategy,
    ArbitraryFlags: [...flags.swarmOpt],
    ArbitraryJoinFlags: [...flags.swarmJoinOpt],
    IsExperimental: flags.swarmExperimental ?? false,
  };
}
