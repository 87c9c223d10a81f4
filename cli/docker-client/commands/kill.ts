import type { DockerCommand } from '../command.ts';
import { forEach } from '../each-container.ts';

export const command: DockerCommand = {
  usage: '[flags] CONTAINER...',
  summary: 'End containers at once, or send them a signal',
  flags: [{ name: 'signal', short: 's', kind: 'text', value: 'SIGNAL', help: 'instead of KILL' }],
  words: { atLeast: 1, atMost: Number.POSITIVE_INFINITY },
  run: (call) =>
    forEach(call, (name) =>
      call.engine.json('POST', `/containers/${name}/kill`, { query: { signal: call.flags.text('signal') } }),
    ),
};
