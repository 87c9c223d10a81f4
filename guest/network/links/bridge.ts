import { access, readFile, writeFile } from 'node:fs/promises';
import { run } from '../../host/exec.ts';
import { programPath } from '../../host/program-path.ts';
import { macAddress } from '../addressing/mac-address.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { FilteredBridge } from '../firewall/ruleset.ts';
import { type BridgeNetwork, poolsOf } from '../network.ts';
import { bridgeAddressing, bridgeAddressing6, bridgeCreation, linkRemoval } from './link-scripts.ts';

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
    const { linkName, foreign } = network.bridge;
    if (!foreign && (await linkExists(linkName)))
      await this.#run(programPath('ip'), ['-batch', '-'], { input: linkRemoval(linkName) });
    await this.#firewall.removeBridge(linkName);
  }

  async #make(network: BridgeNetwork): Promise<void> {
    const { linkName } = network.bridge;
    if (!(await linkExists(linkName))) {
      await this.#run(programPath('ip'), ['-batch', '-'], {
        input: bridgeCreation(network, macAddress(null)),
      });
    } else if (network.bridge.foreign) {
      await this.#run(programPath('ip'), ['-batch', '-'], { input: bridgeAddressing(network) });
    }
    // Connections from this host's loopback to published ports leave by the bridge with a loopback source.
    await writeFile(`/proc/sys/net/ipv4/conf/${linkName}/route_localnet`, '1');
    await setIfAny(`ipv6/conf/${linkName}/accept_ra`, '0');
    await setIfAny(`ipv6/conf/${linkName}/disable_ipv6`, network.ipv6 ? '0' : '1');
    await enableForwarding('ipv4/ip_forward');
    if (network.ipv6) {
      await enableForwarding('ipv6/conf/all/forwarding');
      // Where IPv6 was off when the link was made, the link has no address yet.
      await this.#run(programPath('ip'), ['-batch', '-'], {
        input: bridgeAddressing6(linkName, network.ipv6),
      });
    }
    await this.#firewall.addBridge(filtered(network));
  }
}

/** How the packet filter sees a network. */
export function filtered(network: BridgeNetwork): FilteredBridge {
  const { linkName, interContainer, masquerade, gatewayMode } = network.bridge;
  const subnets = poolsOf(network).map(({ subnet }) => subnet);
  return { linkName, subnets, internal: network.internal, interContainer, masquerade, gatewayMode };
}

/** /proc/sys/net, unlike /sys/class/net, always shows the namespace of the reader. */
export async function linkExists(name: string): Promise<boolean> {
  return access(`/proc/sys/net/ipv4/conf/${name}`).then(
    () => true,
    () => false,
  );
}

/**
 * A router must not listen to others' advertisements, which a container could send (CVE-2020-13401). A
 * kernel without IPv6 has no such file.
 */
async function setIfAny(name: string, value: string): Promise<void> {
  await writeFile(`/proc/sys/net/${name}`, value).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function enableForwarding(name: string): Promise<void> {
  const file = `/proc/sys/net/${name}`;
  if ((await readFile(file, 'utf8')).trim() !== '1') await writeFile(file, '1');
}
