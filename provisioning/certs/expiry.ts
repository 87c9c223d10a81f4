const dayMs = 86_400_000;

/** Certificates are renewed, or warned of where they cannot be, when this much or less is left. */
export const renewalDays = 60;

/** Whole days until a PEM certificate expires; negative once it has. */
export function daysLeft(pem: string, now: Date = new Date()): number {
  return Math.floor((notAfter(pem).getTime() - now.getTime()) / dayMs);
}

export function expiresSoon(pem: string, now?: Date): boolean {
  return daysLeft(pem, now) <= renewalDays;
}

/**
 * The end of a certificate's validity: the second of two times that stand next to each other, each a
 * UTCTime or, from 2050 on, a GeneralizedTime (RFC 5280, 4.1.2.5). Read by hand since `machine env` asks
 * each time, and loading node:crypto would be a fifth of what it costs. Throws when `pem` has no such times.
 */
function notAfter(pem: string): Date {
  const der = Buffer.from(pem.replace(/-----[^-]*-----/g, ''), 'base64').toString('latin1');
  const times = /(?:\x17\x0d\d{12}|\x18\x0f\d{14})Z(?:\x17\x0d(\d{12})|\x18\x0f(\d{14}))Z/.exec(der);
  if (times === null) throw new Error('a certificate has no validity; is it one?');
  const digits = times[2] ?? `20${times[1]}`;
  return new Date(digits.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z'));
}
