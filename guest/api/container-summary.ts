import type { Container } from '../containers/container.ts';
import { commandOf } from '../containers/create-config.ts';
import { statusText } from '../containers/status-text.ts';
import type { SandboxSettings } from '../network/network-manager.ts';
import { mountViews, networkMode, plannedNetworks } from './container-view.ts';

/** One row of `GET /containers/json`. */
export function containerSummary(
  { record }: Container,
  from: {
    readonly sandbox: SandboxSettings | null;
    readonly size: { readonly rw: number; readonly rootfs: number } | null;
    readonly links: readonly string[];
    /** Whether the image's name is still its own. */
    readonly isImageNamed: boolean;
    readonly now: Date;
  },
): object {
  const { config, hostConfig, state } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`, ...from.links],
    Image: from.isImageNamed ? config.Image : record.imageId,
    ImageID: record.imageId,
    Command: shownCommand(commandOf(config)),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: portRows(from.sandbox),
    ...(from.size ? { SizeRw: from.size.rw, SizeRootFs: from.size.rootfs } : {}),
    Labels: config.Labels,
    State: state.status,
    Status: statusText(record, from.now),
    HostConfig: { NetworkMode: networkMode(hostConfig) },
    NetworkSettings: { Networks: from.sandbox?.networks ?? plannedNetworks(record) },
    Mounts: mountViews(record),
  };
}

/** A word with a space in it is quoted, but for the program's name. */
function shownCommand([program = '', ...args]: readonly string[]): string {
  return [program, ...args.map((word) => (word.includes(' ') ? `'${word}'` : word))].join(' ');
}

/** What its own network exposes and publishes; where it has none of its own (`none`, `host`), nothing. */
function portRows(sandbox: SandboxSettings | null): object[] {
  return Object.entries(sandbox?.ports ?? {}).flatMap(([name, bindings]) => {
    const [port, type] = name.split('/');
    const row = { PrivatePort: Number(port), Type: type };
    if (!bindings?.length) return [row];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, ...row, PublicPort: Number(HostPort) }));
  });
}
