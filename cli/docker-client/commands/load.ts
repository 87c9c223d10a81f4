import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { DockerCommand } from '../command.ts';
import { Usage } from '../errors.ts';
import { print } from '../terminal.ts';

interface Loaded {
  readonly stream?: string;
  readonly error?: string;
}

export const command: DockerCommand = {
  usage: '[flags]',
  summary: 'Take in images from an archive (docker save)',
  flags: [{ name: 'input', short: 'i', kind: 'text', value: 'FILE', help: 'instead of stdin' }],
  words: { atLeast: 0, atMost: 0 },
  async run({ flags, engine, streams }) {
    const file = flags.text('input');
    if (file === undefined && streams.stdin.isTTY) {
      throw new Usage('requested load from stdin, but stdin is a terminal; give --input FILE');
    }
    const content = file === undefined ? new Readable().wrap(streams.stdin) : createReadStream(file);
    const upload = { content, type: 'application/x-tar' };
    const response = await engine.stream('POST', '/images/load', { query: { quiet: 1 }, upload });
    for await (const line of createInterface({ input: response })) {
      if (line.trim() === '') continue;
      const { stream, error } = JSON.parse(line) as Loaded;
      if (error !== undefined) throw new Error(error);
      if (stream !== undefined) await print(streams.stdout, stream);
    }
    return 0;
  },
};
