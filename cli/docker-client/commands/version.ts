import { ownVersion } from '../../version.ts';
import type { DockerCommand } from '../command.ts';
import { print } from '../terminal.ts';

interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string;
}

export const command: DockerCommand = {
  usage: '',
  summary: 'Show the versions of this client and of the engine',
  flags: [],
  words: { atLeast: 0, atMost: 0 },
  async run({ engine, streams }) {
    await print(streams.stdout, `Client: machine ${await ownVersion()}\n`);
    const server = await engine.json<EngineVersion>('GET', '/version');
    const kernel = server.KernelVersion ? `, kernel ${server.KernelVersion}` : '';
    await print(
      streams.stdout,
      `Server: ${server.Version}, API ${server.ApiVersion}, ${server.Os}/${server.Arch}${kernel}\n`,
    );
    return 0;
  },
};
