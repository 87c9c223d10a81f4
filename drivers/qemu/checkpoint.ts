import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Unavailable } from '../errors.ts';
import { type Listener, type QemuConfig, qemuArgs } from './args.ts';
import { makeDisk } from './disk.ts';
import { connectChannel, linesOf } from './line-channel.ts';
import { withoutZeroPages } from './migration-stream.ts';
import { type Channel, qemuPaths, socketPath } from './paths.ts';
import { killQemu, spawnQemu } from './process.ts';
import { QmpClient } from './qmp.ts';

/** Under emulation; a computer that is kept busy by others takes its time. */
const bootDeadlineMs = 90_000;
/** A handful of differently sized machines; each is as large as the memory that a boot touches (160 MB). */
const keptCheckpoints = 3;

/** What a checkpoint is of: everything in a machine that the guest sees, and nothing that is one machine's own. */
export type CheckpointConfig = Pick<
  QemuConfig,
  'osImage' | 'accelerator' | 'memoryMiB' | 'cpus' | 'sharesMemory'
> & {
  /** Of the data disk, as the guest sees it. */
  readonly diskBytes: number;
};

export interface CheckpointOptions {
  readonly config: CheckpointConfig;
  readonly emulator: string;
  /** qemu-img */
  readonly imageProgram: string;
  readonly signal: AbortSignal;
  readonly onProgress?: ((message: string) => void) | undefined;
}

/**
 * A checkpoint is a VM of the OS image, booted up to where it would become one machine rather than another
 * (guest/boot/root/usr/lib/machine/checkpoint), as QEMU's migration stream in a file: every later start resumes it
 * instead of booting. Under emulation that takes a third of the time. It holds no secret and no data.
 *
 * Null where machines boot: with a real processor, which boots as fast; where a resumed kernel could not be told
 * that it is another one (vmgenid) and would draw the same random numbers again; and on Windows.
 */
export async function checkpointFor(options: CheckpointOptions): Promise<string | null> {
  const { config, signal, onProgress } = options;
  const { osImage, accelerator } = config;
  if (accelerator !== 'tcg' || osImage.arch !== 'amd64' || process.platform === 'win32') return null;
  const directory = dirname(osImage.kernel);
  const path = join(directory, `checkpoint-${await keyOf(options)}`);
  const now = new Date();
  const there = await utimes(path, now, now).then(
    () => true,
    () => false,
  );
  if (there) return path;
  onProgress?.('booting once, for this and later starts to resume');
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await makeCheckpoint(options, temporary);
    await rename(temporary, path);
  } catch (error) {
    signal.throwIfAborted();
    onProgress?.(`no checkpoint could be made (${(error as Error).message}); booting`);
    return null;
  } finally {
    await rm(temporary, { force: true });
  }
  await removeOld(directory);
  return path;
}

/** Lets a VM that was started with `incoming` become this machine; returns when it runs. Throws Unavailable when it does not. */
export async function resumeCheckpoint({
  qmp,
  power,
  signal,
}: {
  readonly qmp: Listener;
  readonly power: Listener;
  readonly signal: AbortSignal;
}): Promise<void> {
  const socket = await connectChannel(power, { signal, once: true });
  try {
    await whenRunning(qmp, signal);
    socket.write('resume\n');
    for await (const line of linesOf(socket, signal)) {
      if (line.trim() === 'time?') socket.write(`${(Date.now() / 1000).toFixed(3)}\n`);
      if (line.trim() === 'resumed') return;
    }
    throw wentOff();
  } finally {
    socket.destroy();
  }
}

async function whenRunning(qmp: Listener, signal: AbortSignal): Promise<void> {
  await using client = await QmpClient.connect(qmp, { signal, once: true });
  const resumed = firstEvent(client, (event) => event === 'RESUME', signal);
  // Not waited for when it runs already, and told of the connection's end all the same.
  resumed.catch(() => {});
  const { running } = (await client.execute('query-status')) as { running: boolean };
  if (!running) await resumed;
}

/** Once for each QEMU program, computer, OS image and size of machine. */
async function keyOf({ config, emulator }: CheckpointOptions): Promise<string> {
  const { size, mtimeMs } = await stat(emulator);
  const nowhere = { path: '' };
  const args = qemuArgs({
    ...config,
    name: '',
    disk: `${config.diskBytes}`,
    console: '',
    bootItems: {},
    ports: null,
    qmp: nowhere,
    agent: nowhere,
    power: nowhere,
    watch: nowhere,
    files: nowhere,
    boot: 'checkpoint',
  });
  const about = [emulator, size, mtimeMs, cpus()[0]?.model, args];
  return createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 16);
}

async function makeCheckpoint(options: CheckpointOptions, path: string): Promise<void> {
  const { config, emulator, imageProgram } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(bootDeadlineMs)]);
  const directory = await mkdtemp(join(tmpdir(), 'machine-'));
  try {
    const paths = qemuPaths(directory);
    const listener = (channel: Channel) => ({ path: socketPath(directory, channel) });
    const qmp = listener('qmp');
    const power = listener('power');
    await makeDisk({ program: imageProgram, path: paths.disk, bytes: config.diskBytes, signal });
    const args = qemuArgs({
      ...config,
      name: 'checkpoint',
      disk: paths.disk,
      console: paths.console,
      bootItems: {},
      ports: null,
      qmp,
      power,
      agent: listener('agent'),
      watch: listener('watch'),
      files: listener('files'),
      boot: 'checkpoint',
    });
    const qemu = await spawnQemu({ program: emulator, args, paths, qmp, signal });
    try {
      const socket = await connectChannel(power, { signal, once: true });
      await lineOf(socket, 'checkpoint', signal).finally(() => socket.destroy());
      await save({ qmp, socketFile: join(directory, 'save.sock'), path, signal });
    } finally {
      await killQemu(qemu);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Has QEMU send its VM, as it runs, to a socket of ours (docs/interop: `migrate`), and that to a file. */
async function save({
  qmp,
  socketFile,
  path,
  signal,
}: {
  readonly qmp: Listener;
  readonly socketFile: string;
  readonly path: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socketFile, resolve));
  try {
    await using client = await QmpClient.connect(qmp, { signal, once: true });
    const saved = new Promise<Socket>((resolve) => server.once('connection', resolve)).then((socket) =>
      pipeline(socket, withoutZeroPages, createWriteStream(path, { mode: 0o600, flush: true }), { signal }),
    );
    const ended = firstEvent(
      client,
      (event, { status }) => event === 'MIGRATION' && (status === 'completed' || status === 'failed'),
      signal,
    );
    // Not waited for when QEMU refuses one of the commands.
    for (const outcome of [saved, ended]) outcome.catch(() => {});
    const capabilities = [{ capability: 'events', state: true }];
    await client.execute('migrate-set-capabilities', { capabilities });
    // Its default is 1 Gbit/s, for networks that others use too.
    await client.execute('migrate-set-parameters', { 'max-bandwidth': 10 * 1024 ** 3 });
    await client.execute('migrate', { uri: `unix:${socketFile}` });
    if ((await ended).status !== 'completed') throw new Unavailable('QEMU could not save the VM');
    await saved;
  } finally {
    server.close();
  }
}

/** Its data. Listens from the call on, so ask for what sets it off afterwards. Throws Unavailable when QEMU ends. */
async function firstEvent(
  client: QmpClient,
  wanted: (event: string, data: Readonly<Record<string, unknown>>) => boolean,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  for await (const { event, data } of client.events(signal)) if (wanted(event, data)) return data;
  signal.throwIfAborted();
  throw new Unavailable('QEMU has ended');
}

/** Throws Unavailable when the channel ends before. */
async function lineOf(socket: Socket, wanted: string, signal: AbortSignal): Promise<void> {
  for await (const line of linesOf(socket, signal)) if (line.trim() === wanted) return;
  throw wentOff();
}

function wentOff(): Unavailable {
  return new Unavailable('the VM went off');
}

/** The least recently used, and what somebody who was killed left unfinished. */
async function removeOld(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('checkpoint-'));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      return { path, at: (await stat(path).catch(() => null))?.mtimeMs ?? 0 };
    }),
  );
  const isUnfinished = ({ path }: { path: string }) => path.endsWith('.tmp');
  const whole = found.filter((one) => !isUnfinished(one)).sort((a, b) => b.at - a.at);
  const left = found.filter((one) => isUnfinished(one) && one.at < Date.now() - bootDeadlineMs);
  for (const { path } of [...whole.slice(keptCheckpoints), ...left]) await rm(path, { force: true });
}
