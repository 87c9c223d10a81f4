import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../helpers/run-command.ts';
import { interleave, row, timed } from './measure.ts';

/**
 * What `machine` costs a shell, as a ratio to `node -e 0` in the same run. Bars: env at most 1.5.
 * Needs the bundle; an argument is the number of rounds. With MACHINE_STORAGE_PATH, uses the machine "dev" of
 * that store; else makes a fake one.
 */
const rounds = Number(process.argv[2] ?? 15);
const given = process.env.MACHINE_STORAGE_PATH;
const store = given ?? (await mkdtemp(join(tmpdir(), 'mb-')));

try {
  if (!given) await machine('create', '-d', 'fake', 'dev');
  const results = await interleave(rounds, {
    'node -e 0': () => timed(() => node('-e', '0')),
    'machine env dev': () => timed(() => machine('env', 'dev')),
    'machine url dev': () => timed(() => machine('url', 'dev')),
    'machine status dev': () => timed(() => machine('status', 'dev')),
    'machine ls': () => timed(() => machine('ls')),
  });
  const base = results['node -e 0'];
  for (const [name, spread] of Object.entries(results)) {
    const ratio = `${(spread.median / base.median).toFixed(2)} × node -e 0`;
    console.log(`${row(name, spread)}  ${ratio} (least: ${(spread.min / base.min).toFixed(2)})`);
  }
} finally {
  if (!given) await rm(store, { recursive: true, force: true });
}

async function machine(...args: string[]): Promise<void> {
  await node('cli/bin/machine.mjs', ...args);
}

async function node(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runCommand(process.execPath, args, {
    env: { MACHINE_STORAGE_PATH: store },
  });
  if (exitCode !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
}
