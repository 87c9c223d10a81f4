import { access, readFile, writeFile } from 'node:fs/promises';
import { run } from '../host/exec.ts';
import { programPath } from '../host/program-path.ts';
import type { Firewall } from './firewall.ts';
import { bridgeCreation, linkRemoval } from './links.ts';
import type { BridgeSettings, NetworkRecord } from './network.ts';

/** A network that has a bridge. */
export type BridgeNetwork = NetworkRecord & { readonly bridge: BridgeSettings };

export function hasBridge(network: NetworkRecord): network is BridgeNetwork {
  return network.bridge !== null;
}

/** Makes the kernel's side of bridge networks when it is first needed, so that starting the engine needs none. */
export class Bridges {
  readonly #firewall: Firewall;
  readonly #run: typeof run;
  readonly #ready = new Map<string, Promise<void>>();

  constructor(firewall: Firewall, runProgram: typeof run = run) {
    this.#firewall = firewall;
    this.#run = runProgram;
  }

  /** Idempotent; also when the link is there from an earlier run. */
  ensure(network: BridgeNetwork): Promise<void> {
    let ready = this.#ready.get(network.id);
    if (!ready) {
      ready = this.#make(network);
      this.#ready.set(network.id, ready);
      ready.catch(() => this.#ready.delete(network.id));
    }
    return ready;
  }

  /** Idempotent: removing nothing succeeds. */
  async remove(network: BridgeNetwork): Promise<void> {
    await this.#ready.get(network.id)?.catch(() => {});
    this.#ready.delete(network.id);
    const { linkName } = network.bridge;
    if (await linkExists(linkName))
      await this.#run(programPath('ip'), ['-batch', '-'], { input: linkRemoval(linkName) });
    await this.#firewall.removeBridge(linkName);
  }

  async #make(network: BridgeNetwork): Promise<void> {
    const { linkName } = network.bridge;
    if (!(await linkExists(linkName))) {
      await this.#run(programPath('ip'), ['-batch', '-'], { input: bridgeCreation(network.bridge) });
    }
    // Connections from this host's loopback to published ports leave by the bridge with a loopback source.
    await writeFile(`/proc/sys/net/ipv4/conf/${linkName}/route_localnet`, '1');
    await enableForwarding();
    await this.#firewall.addBridge(filtered(network));
  }
}

/** How the packet filter sees a network. */
export function filtered({ bridge, internal }: BridgeNetwork) {
  const { linkName, subnet, interContainer, masquerade } = bridge;
  return { linkName, subnet, internal, interContainer, masquerade };
}

/** /proc/sys/net, unlike /sys/class/net, always shows the namespace of the reader. */
export async function linkExists(name: string): Promise<boolean> {
  return access(`/proc/sys/net/ipv4/conf/${name}`).then(
    () => true,
    () => false,
  );
}

async function enableForwarding(): Promise<void> {
  const file = '/proc/sys/net/ipv4/ip_forward';
  if ((await readFile(file, 'utf8')).trim() !== '1') await writeFile(file, '1');
}
