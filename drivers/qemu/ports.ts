import { Unavailable } from '../errors.ts';

/** Below the ports that systems hand out to outgoing connections (32768 on Linux), which come and go. */
const firstPort = 20_000;
const lastPort = 32_767;

export type IsFree = (port: number) => Promise<boolean>;

/** `count` different loopback ports that are free now. Chosen at random, so that machines that are off keep theirs. */
export async function freePorts(count: number, isFree: IsFree = isPortFree): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; tries < 1000 && found.size < count; tries++) {
    const port = firstPort + Math.floor(Math.random() * (lastPort + 1 - firstPort));
    if (!found.has(port) && (await isFree(port))) found.add(port);
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
