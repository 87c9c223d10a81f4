import type { DockerCommand } from '../command.ts';
import { printOutput } from '../session.ts';

export const command: DockerCommand = {
  usage: '[flags] CONTAINER',
  summary: 'Show what a container has printed',
  flags: [
    { name: 'follow', short: 'f', kind: 'boolean', help: 'and go on' },
    { name: 'timestamps', short: 't', kind: 'boolean', help: 'when each line was printed' },
    { name: 'tail', short: 'n', kind: 'text', value: 'LINES', help: 'only the last ones' },
    { name: 'since', kind: 'text', value: 'TIME', help: 'only from then on: seconds since 1970' },
  ],
  words: { atLeast: 1, atMost: 1 },
  async run({ flags, engine, streams }) {
    const response = await engine.stream('GET', `/containers/${encodeURIComponent(flags.words[0]!)}/logs`, {
      query: {
        stdout: 1,
        stderr: 1,
        follow: flags.flag('follow') ? 1 : undefined,
        timestamps: flags.flag('timestamps') ? 1 : undefined,
        tail: flags.text('tail'),
        since: flags.text('since'),
      },
    });
    const multiplexed = (response.headers['content-type'] ?? '').includes('multiplexed-stream');
    await printOutput(response, streams, multiplexed);
    return 0;
  },
};
