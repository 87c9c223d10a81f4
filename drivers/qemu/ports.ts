import { Unavailable } from '../errors.ts';

/** Below the ports that systems hand out to outgoing connections (32768 on Linux), which come and go. */
const firstPort = 20_000;
const lastPort = 32_767;

/** By which images are known: fluentd, Minecraft, RabbitMQ, CockroachDB, Redis' sentinel, MongoDB, Plex and others. */
const known = new Set([
  22_222, 24_224, 25_565, 25_575, 25_672, 25_826, 26_257, 26_379, 27_015, 27_017, 27_018, 27_019, 28_015,
  28_017, 29_015, 29_092, 29_418, 30_303, 31_337, 32_400,
]);
/** People put a digit before the number that an image is known by: 28443, 23306. */
const knownEnds = [22, 443, 3306, 5432, 5672, 6379, 8443, 9092, 9999];

/** Whether people are likely to publish something there; round numbers are. */
export function isPopular(port: number): boolean {
  return port % 10 === 0 || known.has(port) || knownEnds.includes(port % 10_000);
}

export type IsFree = (port: number) => Promise<boolean>;

/**
 * `count` different loopback ports that are free now, for a machine's own use. Chosen at random, so that machines that
 * are off keep theirs, and none that a container is likely to ask for.
 */
export async function freePorts(count: number, isFree: IsFree = isPortFree): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; tries < 1000 && found.size < count; tries++) {
    const port = firstPort + Math.floor(Math.random() * (lastPort + 1 - firstPort));
    if (!found.has(port) && !isPopular(port) && (await isFree(port))) found.add(port);
  }
  if (found.size < count) throw new Unavailable(`no free port on 127.0.0.1 from ${firstPort} to ${lastPort}`);
  return [...found];
}

/** Whether something could listen there at this moment. */
export function isPortFree(port: number): Promise<boolean> {
  const { createServer } = process.getBuiltinModule('node:net');
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
