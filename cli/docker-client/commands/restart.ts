import type { DockerCommand } from '../command.ts';
import { forEach } from '../each-container.ts';

export const command: DockerCommand = {
  usage: '[flags] CONTAINER...',
  summary: 'Stop containers and start them again',
  flags: [{ name: 'time', short: 't', kind: 'text', value: 'SECONDS', help: 'how long to wait' }],
  words: { atLeast: 1, atMost: Number.POSITIVE_INFINITY },
  run: (call) =>
    forEach(call, (name) =>
      call.engine.json('POST', `/containers/${name}/restart`, { query: { t: call.flags.text('time') } }),
    ),
};
