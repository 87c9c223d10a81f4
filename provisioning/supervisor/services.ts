import { changesService } from '../directories/changes/service.ts';
import { directoriesService } from '../directories/service.ts';
import { clockService } from './clock.ts';
import { namesService } from './names/service.ts';
import { portsService } from './ports/service.ts';
import type { Service } from './service.ts';
import { socketService } from './socket/service.ts';
import { sshAgentService } from './ssh-agent/service.ts';
import { suspendService } from './suspend/service.ts';

/**
 * All that a supervisor does for its machine, in the order of `machine doctor`. Loaded in the supervisor only, and
 * with it: parts that are loaded one by one cost every command, since what they share with it becomes files of its own.
 */
export const services: readonly Service[] = [
  socketService,
  portsService,
  namesService,
  clockService,
  directoriesService,
  changesService,
  sshAgentService,
  suspendService,
];
