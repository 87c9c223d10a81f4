import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { openAgentPort } from '../../../guest/agent/port.ts';
import { noLog } from '../../../guest/log.ts';
import type { Hello, ToAgent } from '../../../guest/wire/index.ts';

const skip = spawnSync('socat', ['-V']).status === 0 ? false : 'no socat on this computer';

const hello: Hello = {
  type: 'hello',
  version: 1,
  agentVersion: '1',
  apiVersion: '1.50',
  state: 'ready',
  uptimeMs: 1,
};

/** Two ends of a line, in place of a virtio-serial port and its socket on the host. */
async function line(t: { teardown(end: () => unknown): void }) {
  const directory = await mkdtemp(join(tmpdir(), 'mp-'));
  const [guest, host] = [join(directory, 'guest'), join(directory, 'host')];
  const socat = spawn('socat', ['-d', '-d', `PTY,link=${guest},raw,echo=0`, `PTY,link=${host},raw,echo=0`]);
  t.teardown(async () => {
    socat.kill();
    await rm(directory, { recursive: true });
  });
  for await (const said of createInterface({ input: socat.stderr }))
    if (said.includes('starting data transfer')) break;
  await Promise.all([access(guest), access(host)]);
  return { guest, host };
}

t.test('the host is greeted, and its words are heard', { skip }, async (t) => {
  const { guest, host } = await line(t);
  const heard: ToAgent[] = [];
  const file = await open(host, constants.O_RDWR | constants.O_NOCTTY);
  const reader = spawn('cat', [], { stdio: [file.fd, 'pipe', 'inherit'] });
  const lines = createInterface({ input: reader.stdout! })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value!);

  const port = await openAgentPort(guest, {
    greeting: () => hello,
    answer: (message) => {
      heard.push(message);
      return message.type === 'who' ? { ...hello, uptimeMs: 2 } : null;
    },
    log: noLog,
  });
  t.same(await next(), hello);
  await file.write('garbage\n{"type":"clock"}\n{"type":"clock","epochMs":5}\n{"type":"who"}\n');
  t.match(await next(), { uptimeMs: 2 });
  t.same(heard, [{ type: 'clock', epochMs: 5 }, { type: 'who' }], 'what makes no sense is left out');

  await port[Symbol.asyncDispose]();
  reader.kill();
  await once(reader, 'exit');
  await file.close();
});
