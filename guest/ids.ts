import { randomBytes } from 'node:crypto';

/** 64 random hex digits, as Docker's container, network and exec ids. */
export function newId(): string {
  return randomBytes(32).toString('hex');
}

/** The 12 digits people see. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
