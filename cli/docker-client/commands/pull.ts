import type { DockerCommand } from '../command.ts';
import { pullImage } from '../pull-image.ts';

export const command: DockerCommand = {
  usage: 'IMAGE',
  summary: 'Fetch an image from a registry',
  flags: [],
  words: { atLeast: 1, atMost: 1 },
  async run({ flags, engine, streams }) {
    await pullImage(engine, flags.words[0]!, streams.stdout);
    return 0;
  },
};
