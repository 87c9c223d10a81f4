import type { DatabaseSync } from 'node:sqlite';
import { InvalidParameter, NotFound } from '../errors.ts';
import { quickTransaction } from '../store/database.ts';
import type { EndpointRecord, SandboxRecord } from './endpoint.ts';
import type { NetworkRecord } from './network.ts';

/**
 * The tables `networks`, `endpoints` and `sandboxes` (store/schema.ts). Networks are durable. Sandboxes and their endpoints
 * tell what the kernel has, which a power cut ends with them.
 */
export class NetworkRecords {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  networks(): NetworkRecord[] {
    return this.#db
      .prepare('SELECT record FROM networks ORDER BY name')
      .all()
      .map(parse<NetworkRecord>);
  }

  /** By name, id or unique prefix of an id, in this order. Throws NotFound, InvalidParameter when ambiguous. */
  network(reference: string): NetworkRecord {
    const all = this.networks();
    const exact =
      all.find((network) => network.id === reference) ?? all.find((network) => network.name === reference);
    if (exact) return exact;
    const matching = reference === '' ? [] : all.filter((network) => network.id.startsWith(reference));
    if (matching.length > 1) {
      throw new InvalidParameter(
        `network ${reference} is ambiguous (${matching.length} matches found on ID prefix)`,
      );
    }
    if (!matching[0]) throw new NotFound(`network ${reference} not found`);
    return matching[0];
  }

  saveNetwork(network: NetworkRecord): void {
    this.#db
      .prepare(
        'INSERT INTO networks (id, name, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record',
      )
      .run(network.id, network.name, JSON.stringify(network));
  }

  deleteNetwork(id: string): void {
    this.#db.prepare('DELETE FROM networks WHERE id = ?').run(id);
  }

  endpoints(): EndpointRecord[] {
    return this.#db
      .prepare('SELECT record FROM endpoints')
      .all()
      .map(parse<EndpointRecord>);
  }

  /** In the order of their positions. */
  endpointsOfContainer(containerId: string): EndpointRecord[] {
    return this.#db
      .prepare('SELECT record FROM endpoints WHERE container_id = ?')
      .all(containerId)
      .map(parse<EndpointRecord>)
      .sort((a, b) => a.position - b.position);
  }

  endpointsOfNetwork(networkId: string): EndpointRecord[] {
    return this.#db
      .prepare('SELECT record FROM endpoints WHERE network_id = ?')
      .all(networkId)
      .map(parse<EndpointRecord>);
  }

  /** The container's sandbox with its endpoints: all or nothing. */
  saveSandbox(sandbox: SandboxRecord, endpoints: readonly EndpointRecord[]): void {
    const insert = this.#db.prepare(
      'INSERT OR REPLACE INTO endpoints (container_id, network_id, record) VALUES (?, ?, ?)',
    );
    quickTransaction(this.#db, () => {
      this.#db
        .prepare('INSERT OR REPLACE INTO sandboxes (container_id, record) VALUES (?, ?)')
        .run(sandbox.containerId, JSON.stringify(sandbox));
      for (const endpoint of endpoints) {
        insert.run(endpoint.containerId, endpoint.networkId, JSON.stringify(endpoint));
      }
    });
  }

  sandboxes(): SandboxRecord[] {
    return this.#db
      .prepare('SELECT record FROM sandboxes')
      .all()
      .map(parse<SandboxRecord>);
  }

  sandbox(containerId: string): SandboxRecord | null {
    const row = this.#db.prepare('SELECT record FROM sandboxes WHERE container_id = ?').get(containerId);
    return row ? parse<SandboxRecord>(row) : null;
  }

  saveEndpoint(endpoint: EndpointRecord): void {
    const save = this.#db.prepare(
      'INSERT OR REPLACE INTO endpoints (container_id, network_id, record) VALUES (?, ?, ?)',
    );
    quickTransaction(this.#db, () =>
      save.run(endpoint.containerId, endpoint.networkId, JSON.stringify(endpoint)),
    );
  }

  deleteEndpoint(containerId: string, networkId: string): void {
    const forget = this.#db.prepare('DELETE FROM endpoints WHERE container_id = ? AND network_id = ?');
    quickTransaction(this.#db, () => forget.run(containerId, networkId));
  }

  /** With its endpoints. */
  deleteSandbox(containerId: string): void {
    quickTransaction(this.#db, () => {
      this.#db.prepare('DELETE FROM endpoints WHERE container_id = ?').run(containerId);
      this.#db.prepare('DELETE FROM sandboxes WHERE container_id = ?').run(containerId);
    });
  }
}

/** Only this engine writes the rows, with a schema version; so their shape is known. */
function parse<T>(row: Record<string, unknown>): T {
  return JSON.parse(String(row.record)) as T;
}
