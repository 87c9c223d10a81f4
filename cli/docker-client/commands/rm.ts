import type { DockerCommand } from '../command.ts';
import { forEach } from '../each-container.ts';

export const command: DockerCommand = {
  usage: '[flags] CONTAINER...',
  summary: 'Remove containers',
  flags: [
    { name: 'force', short: 'f', kind: 'boolean', help: 'running ones too' },
    { name: 'volumes', short: 'v', kind: 'boolean', help: 'and their volumes without a name' },
  ],
  words: { atLeast: 1, atMost: Number.POSITIVE_INFINITY },
  run: (call) =>
    forEach(call, (name) =>
      call.engine.json('DELETE', `/containers/${name}`, {
        query: {
          force: call.flags.flag('force') ? 1 : undefined,
          v: call.flags.flag('volumes') ? 1 : undefined,
        },
      }),
    ),
};
