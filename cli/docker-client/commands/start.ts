import type { DockerCommand } from '../command.ts';
import { forEach } from '../each-container.ts';

export const command: DockerCommand = {
  usage: '[flags] CONTAINER...',
  summary: 'Start containers that have ended',
  flags: [],
  words: { atLeast: 1, atMost: Number.POSITIVE_INFINITY },
  run: (call) => forEach(call, (name) => call.engine.json('POST', `/containers/${name}/start`)),
};
