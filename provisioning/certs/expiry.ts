import { X509Certificate } from 'node:crypto';

const dayMs = 86_400_000;

/** Certificates are renewed, or warned of where they cannot be, when this much or less is left. */
export const renewalDays = 60;

/** Whole days until a PEM certificate expires; negative once it has. */
export function daysLeft(pem: string, now: Date = new Date()): number {
  return Math.floor((Date.parse(new X509Certificate(pem).validTo) - now.getTime()) / dayMs);
}

export function expiresSoon(pem: string, now?: Date): boolean {
  return daysLeft(pem, now) <= renewalDays;
}
