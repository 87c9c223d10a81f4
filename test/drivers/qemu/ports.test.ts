import { createServer } from 'node:net';
import t from 'tap';
import { Unavailable } from '../../../drivers/errors.ts';
import { freePorts, isPopular, isPortFree } from '../../../drivers/qemu/ports.ts';

t.test('ports are different, free, and below those of outgoing connections', async (t) => {
  const ports = await freePorts(5);
  t.equal(new Set(ports).size, 5);
  for (const port of ports) t.ok(port >= 20_000 && port < 32_768);
});

t.test('a port that something listens on is not free', async (t) => {
  const [port] = await freePorts(1);
  t.ok(await isPortFree(port!));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.notOk(await isPortFree(port!));
  await new Promise((resolve) => server.close(resolve));
  t.ok(await isPortFree(port!));
});

t.test('a computer without free ports is an error, not an endless search', async (t) => {
  await t.rejects(
    freePorts(1, async () => false),
    Unavailable,
  );
});

t.test('a port that people publish is none of a machine', async (t) => {
  for (const port of [25_565, 27_017, 28_443, 23_306, 30_000, 28_080]) t.ok(isPopular(port), String(port));
  for (const port of [21_847, 30_211]) t.notOk(isPopular(port), String(port));
  const asked = new Set<number>();
  const isFree = async (port: number) => {
    asked.add(port);
    return false;
  };
  await t.rejects(freePorts(1, isFree), Unavailable);
  t.ok(asked.size > 500);
  t.notOk([...asked].some(isPopular));
});
