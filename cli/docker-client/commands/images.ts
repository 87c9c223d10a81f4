import { tableText } from '../../table.ts';
import type { DockerCommand } from '../command.ts';
import { ago, humanSize } from '../human.ts';
import { print } from '../terminal.ts';

interface Listed {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
}

export const command: DockerCommand = {
  usage: '[flags]',
  summary: 'List images',
  flags: [{ name: 'quiet', short: 'q', kind: 'boolean', help: 'ids only' }],
  words: { atLeast: 0, atMost: 0 },
  async run({ flags, engine, streams }) {
    const images = await engine.json<Listed[]>('GET', '/images/json');
    if (flags.flag('quiet')) {
      await print(streams.stdout, images.map(({ Id }) => `${shortId(Id)}\n`).join(''));
      return 0;
    }
    const rows = images.flatMap(({ Id, RepoTags, Created, Size }) =>
      (RepoTags?.length ? RepoTags : ['<none>:<none>']).map((tag) => [
        tag.slice(0, tag.lastIndexOf(':')),
        tag.slice(tag.lastIndexOf(':') + 1),
        shortId(Id),
        ago(Created),
        humanSize(Size),
      ]),
    );
    const header = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'];
    await print(streams.stdout, tableText([header, ...rows]));
    return 0;
  },
};

function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
