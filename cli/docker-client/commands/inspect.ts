import type { DockerCommand } from '../command.ts';
import { EngineAnswer } from '../errors.ts';
import { print } from '../terminal.ts';

export const command: DockerCommand = {
  usage: 'NAME...',
  summary: 'Show everything about containers, images, networks or volumes',
  flags: [],
  words: { atLeast: 1, atMost: Number.POSITIVE_INFINITY },
  async run({ flags, engine, streams }) {
    const found: unknown[] = [];
    let exitCode = 0;
    for (const name of flags.words) {
      const encoded = encodeURIComponent(name);
      const paths = [
        `/containers/${encoded}/json`,
        `/images/${name}/json`,
        `/networks/${encoded}`,
        `/volumes/${encoded}`,
      ];
      const object = await firstOf(paths.map((path) => () => engine.json('GET', path)));
      if (object === null) {
        await print(streams.stderr, `Error: No such object: ${name}\n`);
        exitCode = 1;
      } else {
        found.push(object);
      }
    }
    await print(streams.stdout, `${JSON.stringify(found, null, 4)}\n`);
    return exitCode;
  },
};

/** What the first call that does not say 404 brings. */
async function firstOf(calls: readonly (() => Promise<unknown>)[]): Promise<unknown> {
  for (const call of calls) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof EngineAnswer) || error.status !== 404) throw error;
    }
  }
  return null;
}
