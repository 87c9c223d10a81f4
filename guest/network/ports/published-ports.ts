import type { PublishedPortNotice } from '../../wire/index.ts';
import type { Family } from '../addressing/ip.ts';
import { addressOf, type EndpointAddress, type SandboxRecord } from '../endpoint.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { FirewallPort, ForwardedPort, OpenPort, ThroughPort } from '../firewall/ruleset.ts';
import type { Gateways } from '../sandbox/gateways.ts';
import { anyPort, createPortHolder, type HeldPort, type PortHolder } from './port-holder.ts';
import { type ContainerPort, type PortRequest, type PublishedPort, portFamily } from './ports.ts';

/** By which the host reaches the machine itself: SSH and the API. */
const machinePorts = [22, 2376];

interface Published {
  readonly held: HeldPort[];
  readonly wanted: readonly ContainerPort[];
  forwarded: readonly ForwardedPort[];
  open: readonly OpenPort[];
  /** By {@link throughKey}. */
  through: ReadonlyMap<string, ThroughPort>;
}

/**
 * The only owner of published ports: who has which, where they lead, and which port of this host's own
 * address the forwarding host in front of it (`through`) has to use for each.
 */
export class PublishedPorts {
  readonly #firewall: Firewall;
  readonly #through: boolean;
  readonly #holder: PortHolder;
  readonly #byContainer = new Map<string, Published>();
  readonly #observers = new Set<() => void>();

  constructor(firewall: Firewall, { through }: { readonly through: string | null }) {
    this.#firewall = firewall;
    this.#through = through !== null;
    this.#holder = createPortHolder({ forwarded: this.#through });
  }

  /**
   * Takes the ports for a container: all or none. `wanted`: those of the container, for networks that route.
   * Throws as {@link PortHolder} does.
   */
  async hold(
    containerId: string,
    {
      requests,
      wanted,
    }: { readonly requests: readonly PortRequest[]; readonly wanted: readonly ContainerPort[] },
  ): Promise<PublishedPort[]> {
    const held: HeldPort[] = [];
    this.#byContainer.set(containerId, { held, wanted, forwarded: [], open: [], through: new Map() });
    try {
      for (const request of requests) held.push(...(await this.#holder.hold(request)));
      return held.map(({ port }) => port);
    } catch (error) {
      await this.release(containerId);
      throw error;
    }
  }

  /** Makes them lead to the endpoints that lead out; what led elsewhere before does no more. */
  async lead(containerId: string, gateways: Gateways): Promise<void> {
    const published = this.#byContainer.get(containerId);
    if (!published) return;
    const before = rulesOf(published);
    this.#aim(
      published,
      published.held.map(({ port }) => port),
      gateways,
    );
    const after = rulesOf(published);
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    await this.#firewall.withdraw(before);
    await this.#firewall.publish(after);
    if (published.held.length > 0) this.#tell();
  }

  /** Gives all of a container's back. Idempotent. */
  async release(containerId: string): Promise<void> {
    const published = this.#byContainer.get(containerId);
    if (!published) return;
    this.#byContainer.delete(containerId);
    await this.#firewall.withdraw(rulesOf(published));
    await Promise.all(published.held.map((port) => port.release()));
    if (published.held.length > 0) this.#tell();
  }

  /** After a restart of the engine: takes the ports again, and resolves with the rules to restore. */
  async restore(sandbox: SandboxRecord, gateways: Gateways): Promise<readonly FirewallPort[]> {
    const held: HeldPort[] = [];
    for (const { hostPort, hostAddress, ...port } of sandbox.ports) {
      // The rules work without it; somebody who took the port meanwhile cannot be turned out.
      const again = await this.#holder
        .hold({ ...port, hostAddresses: [hostAddress], hostPorts: { first: hostPort, last: hostPort } })
        .catch(() => []);
      held.push(...again);
    }
    const published: Published = {
      held,
      wanted: sandbox.wantedPorts,
      forwarded: [],
      open: [],
      through: new Map(),
    };
    this.#byContainer.set(sandbox.containerId, published);
    this.#aim(published, sandbox.ports, gateways);
    return rulesOf(published);
  }

  /** Lets go of the sockets; the rules stay. */
  async close(): Promise<void> {
    for (const { held } of this.#byContainer.values()) {
      await Promise.all(held.map((port) => port.release()));
    }
  }

  /** What is published at this moment, for the host in front of this one. */
  list(): PublishedPortNotice[] {
    return [...this.#byContainer].flatMap(([containerId, { held, through }]) =>
      held.map(({ port }) => ({
        containerId,
        protocol: port.protocol,
        hostAddress: port.hostAddress,
        hostPort: port.hostPort,
        guestPort: through.get(throughKey(port))?.throughPort ?? port.hostPort,
      })),
    );
  }

  /** Calls `changed` after each change, until the returned function is called. */
  observe(changed: () => void): () => void {
    this.#observers.add(changed);
    return () => void this.#observers.delete(changed);
  }

  #tell(): void {
    for (const changed of this.#observers) changed();
  }

  #aim(published: Published, ports: readonly PublishedPort[], gateways: Gateways): void {
    published.forwarded = ports.flatMap((port) => {
      const way = wayOut(gateways, portFamily(port));
      return way?.publishing === 'nat' ? [{ ...port, containerAddress: way.address }] : [];
    });
    published.open = ([4, 6] as const).flatMap((family) => {
      const way = wayOut(gateways, family);
      return way?.publishing === 'routed'
        ? published.wanted.map((port) => ({ ...port, containerAddress: way.address }))
        : [];
    });
    published.through = this.#throughPorts(published, ports, gateways);
    for (const { port, lead } of published.held) lead(relayTarget(port, gateways));
  }

  /** Each has its own number if it can be: ports of different addresses may be the same. */
  #throughPorts({ through: before }: Published, ports: readonly PublishedPort[], gateways: Gateways) {
    const through = new Map<string, ThroughPort>();
    const way = this.#through ? wayOut(gateways, 4) : null;
    for (const port of way ? ports : []) {
      const key = throughKey(port);
      if (through.has(key)) continue;
      const { protocol, containerPort } = port;
      const others = [...this.#byContainer.values()].flatMap((published) => [...published.through.values()]);
      const taken = new Set([
        ...machinePorts,
        ...[...others, ...through.values()]
          .filter((other) => other.protocol === protocol)
          .map((other) => other.throughPort),
      ]);
      let throughPort = before.get(key)?.throughPort ?? port.hostPort;
      if (!before.has(key) && taken.has(throughPort)) {
        throughPort = anyPort.first;
        while (taken.has(throughPort)) throughPort++;
      }
      through.set(key, { protocol, containerPort, throughPort, containerAddress: way!.address });
    }
    return through;
  }
}

/** One port of ours serves all of a container's that differ in their address only. */
function throughKey({ protocol, hostPort, containerPort }: PublishedPort): string {
  return `${protocol} ${hostPort} ${containerPort}`;
}

function rulesOf({ forwarded, open, through }: Published): FirewallPort[] {
  return [...forwarded, ...open, ...through.values()];
}

function wayOut(gateways: Gateways, family: Family): EndpointAddress | null {
  const endpoint = gateways[family];
  const way = endpoint && addressOf(endpoint, family);
  return way?.publishing === 'none' ? null : way;
}

/** By the port's own kind of addresses if the container has them, else by the other. */
function relayTarget(port: PublishedPort, gateways: Gateways) {
  const own = portFamily(port);
  const way = wayOut(gateways, own) ?? wayOut(gateways, own === 4 ? 6 : 4);
  return way && { address: way.address, port: port.containerPort };
}
