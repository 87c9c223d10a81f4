import { join } from 'node:path';
import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { runCommand } from '../helpers/run-command.ts';
import { debianTools } from './debian-tools.ts';
import { cannotPlay, openSubject } from './subject.ts';

// Before the test has a network of its own, from where nothing can be fetched.
const tools = await debianTools('python').catch((error: Error) => error);
const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(180_000);

t.test('docker-py: the calls of every day', { skip, timeout: 180_000 }, async (t) => {
  if (tools instanceof Error) return t.plan(0, `docker-py cannot be had: ${tools.message}`);
  const PYTHONPATH = join(tools, 'usr', 'lib', 'python3', 'dist-packages');
  const python = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    runCommand('python3', args, { env: { ...env, PYTHONPATH } }).catch(() => null);
  const known = await python(['-c', 'import docker'], {});
  if (known?.exitCode !== 0) return t.plan(0, 'no Python 3 that can import docker-py');
  const subject = await openSubject(t);
  const ended = await python([join('test', 'compat', 'docker-py.py')], subject.env);
  const said = ended?.stdout.trim().split('\n') ?? [];
  for (const line of said) t.match(line, /^ok /, line);
  t.match(ended, { exitCode: 0 }, `all of it (${ended?.stderr.trim().split('\n').at(-1)})`);
});
