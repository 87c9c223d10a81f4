import { run } from '../../host/exec.ts';
import {
  type FilteredBridge,
  type FirewallPort,
  type ForwardingWay,
  renderPortAddition,
  renderPortRemoval,
  renderRuleset,
} from './ruleset.ts';

/**
 * The engine's table in the kernel. What should be there is kept here; changes are sent one after another.
 * Ports are small steps; when such a step fails (somebody flushed the tables), the whole is sent again.
 */
export class Firewall {
  readonly #table: string;
  readonly #through: ForwardingWay | null;
  readonly #run: typeof run;
  readonly #bridges = new Map<string, FilteredBridge>();
  #ports: FirewallPort[] = [];
  #installed = false;
  #last: Promise<void> = Promise.resolve();

  constructor(
    { table, through }: { readonly table: string; readonly through: ForwardingWay | null },
    runProgram: typeof run = run,
  ) {
    this.#table = table;
    this.#through = through;
    this.#run = runProgram;
  }

  /** Idempotent. */
  addBridge(bridge: FilteredBridge): Promise<void> {
    return this.#inTurn(() => {
      this.#bridges.set(bridge.linkName, bridge);
      return this.#replace();
    });
  }

  /** Idempotent. */
  removeBridge(linkName: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#bridges.delete(linkName)) await this.#replace();
    });
  }

  /** After a restart of the engine: what is there, and what of it should be. */
  restore(bridges: readonly FilteredBridge[], ports: readonly FirewallPort[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const bridge of bridges) this.#bridges.set(bridge.linkName, bridge);
      this.#ports = [...ports];
      if (bridges.length > 0) await this.#replace();
    });
  }

  async publish(ports: readonly FirewallPort[]): Promise<void> {
    if (ports.length === 0) return;
    await this.#inTurn(() => {
      this.#ports.push(...ports);
      return this.#step(renderPortAddition(this.#table, ports));
    });
  }

  /** Takes back what {@link publish} was given, the same objects or equal ones. */
  async withdraw(ports: readonly FirewallPort[]): Promise<void> {
    if (ports.length === 0) return;
    await this.#inTurn(() => {
      const gone = new Set(ports.map((port) => JSON.stringify(port)));
      this.#ports = this.#ports.filter((port) => !gone.has(JSON.stringify(port)));
      return this.#step(renderPortRemoval(this.#table, ports));
    });
  }

  /** Removes the table when nothing is left in it. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#installed || this.#bridges.size > 0) return;
      await this.#nft(`delete table inet ${this.#table}\n`);
      this.#installed = false;
    });
  }

  async #step(script: string): Promise<void> {
    if (!this.#installed) return this.#replace();
    await this.#nft(script).catch(() => this.#replace());
  }

  async #replace(): Promise<void> {
    const bridges = [...this.#bridges.values()];
    await this.#nft(
      renderRuleset({ table: this.#table, bridges, ports: this.#ports, through: this.#through }),
    );
    this.#installed = true;
  }

  async #nft(input: string): Promise<void> {
    await this.#run('nft', ['-f', '-'], { input });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
