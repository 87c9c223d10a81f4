import { join } from 'node:path';
import { ContainerLog } from '../logs/container-log.ts';
import { logAttributes } from '../logs/log-attributes.ts';
import { parseLogOptions } from '../logs/log-options.ts';
import type { ContainerRecord } from './container-record.ts';
import { commandOf } from './create-config.ts';

/** The container's log, as its options want it; null for none. Throws InvalidParameter. Touches no file. */
export function openLog(record: ContainerRecord, directory: string): ContainerLog | null {
  const { Type, Config } = record.hostConfig.LogConfig;
  const options = parseLogOptions(Type, Config);
  if (!options) return null;
  const { config } = record;
  const attributes = logAttributes(Config, {
    id: record.id,
    name: record.name,
    imageId: record.imageId,
    imageName: config.Image,
    command: commandOf(config),
    labels: config.Labels,
    env: config.Env ?? [],
  });
  return new ContainerLog(logPath(record, directory), { ...options, attributes });
}

/** Named as dockerd names them, each driver's in its own place. */
function logPath(record: ContainerRecord, directory: string): string {
  return record.hostConfig.LogConfig.Type === 'local'
    ? join(directory, 'local-logs', 'container.log')
    : join(directory, `${record.id}-json.log`);
}
