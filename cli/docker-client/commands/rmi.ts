import type { DockerCommand } from '../command.ts';
import { EngineAnswer } from '../errors.ts';
import { print } from '../terminal.ts';

interface Removed {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export const command: DockerCommand = {
  usage: '[flags] IMAGE...',
  summary: 'Remove images',
  flags: [{ name: 'force', short: 'f', kind: 'boolean', help: 'also what has several names' }],
  words: { atLeast: 1, atMost: Number.POSITIVE_INFINITY },
  async run({ flags, engine, streams }) {
    let exitCode = 0;
    for (const name of flags.words) {
      try {
        const query = { force: flags.flag('force') ? 1 : undefined };
        const removed = await engine.json<Removed[]>('DELETE', `/images/${name}`, { query });
        for (const { Untagged, Deleted } of removed) {
          await print(streams.stdout, Untagged ? `Untagged: ${Untagged}\n` : `Deleted: ${Deleted}\n`);
        }
      } catch (error) {
        if (!(error instanceof EngineAnswer)) throw error;
        await print(streams.stderr, `${error.message}\n`);
        exitCode = 1;
      }
    }
    return exitCode;
  },
};
