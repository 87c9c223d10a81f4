import { Duplex, PassThrough } from 'node:stream';

/** Two ends of one connection. */
export function pair(): [Duplex, Duplex] {
  const [there, back] = [new PassThrough(), new PassThrough()];
  return [Duplex.from({ readable: there, writable: back }), Duplex.from({ readable: back, writable: there })];
}
