import { Resolver } from 'node:dns';
import { askUpstream } from '../../../guest/dns/upstream.ts';

/** The name servers that this computer has at this moment. */
function nameServers(): string[] {
  // A new one reads the system's settings anew.
  return new Resolver().getServers();
}

/** Asks them what the system's resolver has no call for. The answer is whole; null when none answers. */
export function askNameServers(query: Buffer): Promise<Buffer | null> {
  return askUpstream(query, nameServers(), 'whole');
}
