import { Internal } from '../../errors.ts';
import type { Family } from '../../ip.ts';
import type { PortFailure, PublishedPortNotice } from '../../wire/index.ts';
import { addressOf, type EndpointAddress, type SandboxRecord } from '../endpoint.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { FirewallPort, ForwardedPort, OpenPort, ThroughPort } from '../firewall/ruleset.ts';
import type { Gateways } from '../sandbox/gateways.ts';
import { ForwardingHost } from './forwarding-host.ts';
import { createPortHolder, type HeldPort, type PortHolder } from './port-holder.ts';
import {
  type ContainerPort,
  type PortRequest,
  type PublishedPort,
  portFamily,
  shownAddress,
} from './ports.ts';
import { chooseThroughPorts, throughKey } from './through-ports.ts';

/** A host in front that takes longer has gone wrong: it takes milliseconds, on a busy computer a second. */
const takeDeadlineMs = 20_000;
/** For the host in front to come when this one has started: its supervisor's start, and a TLS handshake. */
const comeDeadlineMs = 15_000;
/** Nobody is helped by a container that does not stop. */
const releaseDeadlineMs = 3000;
/** Ports of the engine's own choice may be taken on the host in front. */
const mostTries = 8;

interface Published {
  readonly taken: readonly TakenPorts[];
  readonly wanted: readonly ContainerPort[];
  /** This host's own for each, by {@link throughKey}; empty when no host is in front. */
  throughPorts: ReadonlyMap<string, number>;
  forwarded: readonly ForwardedPort[];
  open: readonly OpenPort[];
  through: readonly ThroughPort[];
}

/** What a request has got. */
interface TakenPorts {
  readonly request: PortRequest;
  held: readonly HeldPort[];
  /** Which the host in front does not have, and why. */
  readonly elsewhere: Map<number, string>;
}

/**
 * The only owner of published ports: who has which, where they lead, and which port of this host's own
 * address the forwarding host in front of it has to use for each.
 */
export class PublishedPorts {
  /** Whether a host in front of this one forwards to it. */
  readonly forwarded: boolean;
  readonly host: ForwardingHost;
  readonly #firewall: Firewall;
  readonly #holder: PortHolder;
  readonly #byContainer = new Map<string, Published>();
  readonly #observers = new Set<() => void>();

  constructor(firewall: Firewall, { forwarded }: { readonly forwarded: boolean }) {
    this.#firewall = firewall;
    this.forwarded = forwarded;
    this.#holder = createPortHolder({ forwarded });
    this.host = new ForwardingHost(() => this.list(), { expectedWithinMs: forwarded ? comeDeadlineMs : 0 });
  }

  /**
   * Takes the ports for a container, here and on the host in front: all or none. `wanted`: those of the container,
   * for networks that route. Throws as {@link PortHolder} does, for either.
   */
  async hold(
    containerId: string,
    {
      requests,
      wanted,
    }: { readonly requests: readonly PortRequest[]; readonly wanted: readonly ContainerPort[] },
  ): Promise<PublishedPort[]> {
    const taken = requests.map((request) => ({ request, held: [], elsewhere: new Map<number, string>() }));
    const published = newlyPublished(taken, wanted);
    this.#byContainer.set(containerId, published);
    try {
      await this.#take(published, taken, 1);
      return portsOf(published);
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
    this.#aim(published, portsOf(published), gateways);
    const after = rulesOf(published);
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    await this.#firewall.withdraw(before);
    await this.#firewall.publish(after);
  }

  /** Gives all of a container's back, first the host's in front. Idempotent. */
  async release(containerId: string): Promise<void> {
    const published = this.#byContainer.get(containerId);
    if (!published) return;
    this.#byContainer.delete(containerId);
    const held = published.taken.flatMap((taken) => taken.held);
    if (held.length > 0) {
      this.#tell();
      await this.host.answer({ deadlineMs: releaseDeadlineMs }).catch(() => {});
    }
    await this.#firewall.withdraw(rulesOf(published));
    await Promise.all(held.map((port) => port.release()));
  }

  /** After a restart of the engine: takes the ports again, and resolves with the rules to restore. */
  async restore(sandbox: SandboxRecord, gateways: Gateways): Promise<readonly FirewallPort[]> {
    const taken: TakenPorts[] = [];
    for (const { hostPort, hostAddress, ...port } of sandbox.ports) {
      const request = {
        ...port,
        hostAddresses: [hostAddress],
        hostPorts: { first: hostPort, last: hostPort },
      };
      // The rules work without it; somebody who took the port meanwhile cannot be turned out.
      const held = await this.#holder.hold(request).catch(() => []);
      taken.push({ request, held, elsewhere: new Map() });
    }
    const published = newlyPublished(taken, sandbox.wantedPorts);
    this.#byContainer.set(sandbox.containerId, published);
    this.#chooseThroughPorts(published, sandbox.ports);
    this.#aim(published, sandbox.ports, gateways);
    return rulesOf(published);
  }

  /** Lets go of the sockets; the rules stay. */
  async close(): Promise<void> {
    for (const { taken } of this.#byContainer.values()) {
      await Promise.all(taken.flatMap(({ held }) => held.map((port) => port.release())));
    }
  }

  /** What is published at this moment, for the host in front of this one. */
  list(): PublishedPortNotice[] {
    return [...this.#byContainer].flatMap(([containerId, published]) =>
      portsOf(published).map((port) => ({
        containerId,
        protocol: port.protocol,
        hostAddress: shownAddress(port),
        hostPort: port.hostPort,
        guestPort: published.throughPorts.get(throughKey(port)) ?? port.hostPort,
      })),
    );
  }

  /** Calls `changed` after each change, until the returned function is called. */
  observe(changed: () => void): () => void {
    this.#observers.add(changed);
    return () => void this.#observers.delete(changed);
  }

  /** Where the choice is the engine's, what the host in front does not have is left to others. */
  async #take(published: Published, wanting: readonly TakenPorts[], tries: number): Promise<void> {
    // First those that must have one port, so that none of the others takes it.
    const [free, bound] = [wanting.filter(hasChoiceIn), wanting.filter((taken) => !hasChoiceIn(taken))];
    for (const taken of [...bound, ...free])
      taken.held = await this.#holder.hold(taken.request, taken.elsewhere);
    if (wanting.every(({ held }) => held.length === 0)) return;
    this.#chooseThroughPorts(published, portsOf(published));
    this.#tell();
    const failures = await this.host.answer({ deadlineMs: takeDeadlineMs });
    const failed = published.taken.flatMap((taken) => {
      const failure = failures.find((failure) => taken.held.some(({ port }) => isOf(failure, port)));
      return failure ? [{ taken, failure }] : [];
    });
    for (const { taken, failure } of failed) {
      if (!failure.taken || !hasChoice(taken.request) || tries >= mostTries)
        throw new Internal(failure.message);
    }
    if (failed.length === 0) return;
    for (const { taken, failure } of failed) {
      taken.elsewhere.set(failure.hostPort, failure.message);
      const { held } = taken;
      taken.held = [];
      await Promise.all(held.map((port) => port.release()));
    }
    await this.#take(
      published,
      failed.map(({ taken }) => taken),
      tries + 1,
    );
  }

  #tell(): void {
    this.host.changed();
    for (const changed of this.#observers) changed();
  }

  #chooseThroughPorts(published: Published, ports: readonly PublishedPort[]): void {
    if (!this.forwarded) return;
    const others = [...this.#byContainer.values()]
      .filter((other) => other !== published)
      .map(({ throughPorts }) => throughPorts);
    published.throughPorts = chooseThroughPorts(ports, { before: published.throughPorts, others });
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
    const way = wayOut(gateways, 4);
    const chosen = new Map(
      ports.flatMap((port) => {
        const throughPort = published.throughPorts.get(throughKey(port));
        return throughPort === undefined ? [] : [[throughKey(port), { port, throughPort }] as const];
      }),
    );
    published.through = way
      ? [...chosen.values()].map(({ port: { protocol, containerPort }, throughPort }) => ({
          protocol,
          containerPort,
          throughPort,
          containerAddress: way.address,
        }))
      : [];
    for (const { held } of published.taken)
      for (const { port, lead } of held) lead(relayTarget(port, gateways));
  }
}

function newlyPublished(taken: readonly TakenPorts[], wanted: readonly ContainerPort[]): Published {
  return { taken, wanted, throughPorts: new Map(), forwarded: [], open: [], through: [] };
}

function portsOf({ taken }: Published): PublishedPort[] {
  return taken.flatMap(({ held }) => held.map(({ port }) => port));
}

function hasChoiceIn({ request }: TakenPorts): boolean {
  return hasChoice(request);
}

function hasChoice({ hostPorts }: PortRequest): boolean {
  return hostPorts === null || hostPorts.first !== hostPorts.last;
}

function isOf(failure: PortFailure, port: PublishedPort): boolean {
  return (
    failure.protocol === port.protocol &&
    failure.hostPort === port.hostPort &&
    failure.hostAddress === shownAddress(port)
  );
}

function rulesOf({ forwarded, open, through }: Published): FirewallPort[] {
  return [...forwarded, ...open, ...through];
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
