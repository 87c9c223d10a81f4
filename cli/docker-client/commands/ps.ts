import { tableText } from '../../table.ts';
import type { DockerCommand } from '../command.ts';
import { ago } from '../human.ts';
import { print } from '../terminal.ts';

interface Listed {
  readonly Id: string;
  readonly Image: string;
  readonly Command: string;
  readonly Created: number;
  readonly Status: string;
  readonly Ports: readonly Port[];
  readonly Names: readonly string[];
}

interface Port {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

export const command: DockerCommand = {
  usage: '[flags]',
  summary: 'List containers',
  flags: [
    { name: 'all', short: 'a', kind: 'boolean', help: 'those that have ended too' },
    { name: 'quiet', short: 'q', kind: 'boolean', help: 'ids only' },
    { name: 'no-trunc', kind: 'boolean', help: 'whole ids and commands' },
  ],
  words: { atLeast: 0, atMost: 0 },
  async run({ flags, engine, streams }) {
    const all = flags.flag('all') ? 1 : undefined;
    const containers = await engine.json<Listed[]>('GET', '/containers/json', { query: { all } });
    const whole = flags.flag('no-trunc');
    const id = (container: Listed) => (whole ? container.Id : container.Id.slice(0, 12));
    if (flags.flag('quiet')) {
      await print(streams.stdout, containers.map((container) => `${id(container)}\n`).join(''));
      return 0;
    }
    const rows = containers.map((container) => [
      id(container),
      container.Image,
      `"${whole ? container.Command : shortened(container.Command)}"`,
      ago(container.Created),
      container.Status,
      ports(container.Ports),
      container.Names.map((name) => name.replace(/^\//, '')).join(','),
    ]);
    const header = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES'];
    await print(streams.stdout, tableText([header, ...rows]));
    return 0;
  },
};

function shortened(text: string): string {
  return text.length > 20 ? `${text.slice(0, 19)}…` : text;
}

function ports(list: readonly Port[]): string {
  return list
    .map(({ IP, PublicPort, PrivatePort, Type }) => {
      const host = IP?.includes(':') ? `[${IP}]` : IP;
      return PublicPort ? `${host}:${PublicPort}->${PrivatePort}/${Type}` : `${PrivatePort}/${Type}`;
    })
    .sort()
    .join(', ');
}
