import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { FailedPrecondition, Unavailable } from '../../drivers/errors.ts';
import { installation } from '../../provisioning/installation.ts';
import { runForeground } from '../foreground.ts';

/** The engine needs what Node has since this version: SQLite, zstd, `await using`. */
const nodeMajor = 24;

export function configure(command: Command): void {
  command
    .usage('[flags of the engine...]')
    .argument('[flags...]')
    .helpOption(false)
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (args: string[]) => {
      if (process.platform !== 'linux')
        throw new FailedPrecondition('the engine needs Linux underneath; machine create makes one');
      const { root, agent } = await installation();
      const bundle = join(agent, 'agent.cjs');
      await access(bundle).catch(() => {
        throw new FailedPrecondition(`"${bundle}" is missing; npm run build makes it`);
      });
      process.exitCode = (await runForeground(engineNode(root), [bundle, 'engine', ...args])) ?? 1;
    });
}

/** This very Node when it is new enough, else the one of the npm package for guests. */
function engineNode(root: string): string {
  if (Number(process.versions.node.split('.')[0]) >= nodeMajor) return process.execPath;
  const name = `node-linux-${process.arch}`;
  try {
    const resolve = createRequire(join(root, 'package.json')).resolve;
    return join(dirname(resolve(`${name}/package.json`)), 'bin', 'node');
  } catch (cause) {
    throw new Unavailable(
      `the engine needs Node ${nodeMajor}, and this is ${process.version}; npm install ${name}@${nodeMajor} brings it`,
      { cause },
    );
  }
}
