import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Files of the docker CLI that we write: its settings, and its store of contexts (docker/cli, cli/context/store). */
export interface DockerConfig {
  readonly directory: string;
  readonly settings: string;
  /** The file of one context. Its directory's name is the SHA-256 of the context's. */
  context(name: string): string;
}

/** `DOCKER_CONFIG`, else `~/.docker`. */
export function dockerConfig(env: NodeJS.ProcessEnv = process.env): DockerConfig {
  const directory = resolve(env.DOCKER_CONFIG || join(homedir(), '.docker'));
  return {
    directory,
    settings: join(directory, 'config.json'),
    context(name) {
      const { createHash } = process.getBuiltinModule('node:crypto');
      const id = createHash('sha256').update(name).digest('hex');
      return join(directory, 'contexts', 'meta', id, 'meta.json');
    },
  };
}

/** Under which a machine is known to the docker CLI; see docs/decisions/0013-docker-contexts.md. */
export function contextName(machine: string): string {
  return `machine-${machine}`;
}
