import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { residentMiB } from '../../../helpers/process-usage.ts';

const mebibyte = 1024 ** 2;

/** A process that joins two sockets as a supervisor does, started as one. */
const joins = `
import { connect, createServer } from 'node:net';
import { joinStreams } from '${join(process.cwd(), 'dist/provisioning/supervisor/socket/join-streams.js')}';
const server = createServer({ allowHalfOpen: true }, (client) => {
  joinStreams(client, connect({ path: process.argv[1], allowHalfOpen: true }));
});
server.listen(process.argv[2], () => console.log('up'));
`;

t.test(
  'what passes through a process does not stay in it',
  { skip: process.platform !== 'linux' },
  async (t) => {
    // Not t.testdir(): a socket's path holds 107 bytes at most.
    const directory = await mkdtemp(join(tmpdir(), 'machine-passed-'));
    t.teardown(() => rm(directory, { recursive: true }));
    let got = 0;
    const sink = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('data', ({ length }) => {
        got += length;
      });
      socket.on('end', () => socket.end());
    });
    const [to, from] = [join(directory, 'to'), join(directory, 'from')];
    sink.listen(to);
    await once(sink, 'listening');
    t.teardown(() => sink.close());
    const between = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', joins, to, from], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => between.kill());
    await once(createInterface({ input: between.stdout }), 'line');
    const before = residentMiB(between.pid!);
    let most = before;
    const client = connect({ path: from, allowHalfOpen: true });
    client.resume();
    const piece = Buffer.alloc(mebibyte);
    for (let sent = 0; sent < 1024; sent++) {
      if (!client.write(piece)) await once(client, 'drain');
      most = Math.max(most, residentMiB(between.pid!));
    }
    client.end();
    await once(client, 'close');
    t.equal(got, 1024 * mebibyte);
    t.ok(most - before <= 20, `${before} MiB before, ${most} at most`);
  },
);
