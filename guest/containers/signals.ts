import { constants } from 'node:os';
import { InvalidParameter } from '../errors.ts';

/** `SIGTERM`, `term`, `15` -> 15. Throws InvalidParameter in dockerd's words. */
export function parseSignal(text: string): number {
  if (/^[+-]?\d+$/.test(text) && Number(text) !== 0) {
    const number = Number(text);
    if (number > 0 && number < 65) return number;
    throw new InvalidParameter(`the linux daemon does not support signal ${number}`);
  }
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const realtime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realtime) {
    // SIGRTMIN is 34 and SIGRTMAX 64 for programs (signal(7): libc keeps two).
    const number = (realtime[1] === 'MIN' ? 34 : 64) + Number(`${realtime[2] ?? '+'}${realtime[3] ?? '0'}`);
    if (number >= 34 && number <= 64) return number;
  }
  const number = (constants.signals as Readonly<Record<string, number>>)[name];
  if (number === undefined) throw new InvalidParameter(`invalid signal: ${text}`);
  return number;
}
