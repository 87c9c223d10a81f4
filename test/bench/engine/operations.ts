import { call } from '../../compat/http.ts';
import type { Subject } from '../../compat/subject.ts';

export interface Operation {
  readonly name: string;
  /** Clients that it starts one after the other; 1 if nothing is said. */
  readonly clients?: number;
  /** Once, not measured. */
  readonly before?: (subject: Subject) => Promise<unknown>;
  readonly work: (subject: Subject) => Promise<unknown>;
  /** The one request whose answer costs the client itself more than a few milliseconds, if there is one. */
  readonly heavy?: string;
}

const run = (subject: Subject, ...options: string[]) =>
  subject.output(['run', '--rm', ...options, 'busybox', 'true']);

export const operations: readonly Operation[] = [
  { name: 'run --rm', before: run, work: (subject) => run(subject) },
  { name: 'run --rm --network none', work: (subject) => run(subject, '--network', 'none') },
  { name: 'run --rm -p 80', work: (subject) => run(subject, '-p', '80') },
  {
    name: 'exec true',
    before: (subject) => subject.output(['run', '-d', '--name', 'sleeper', 'busybox', 'sleep', '100000']),
    work: (subject) => subject.output(['exec', 'sleeper', 'true']),
  },
  {
    name: '10 parallel run --rm',
    work: (subject) => Promise.all(Array.from({ length: 10 }, () => run(subject))),
  },
  {
    name: 'network create + rm',
    clients: 2,
    work: async (subject) => {
      await subject.output(['network', 'create', 'bench']);
      await subject.output(['network', 'rm', 'bench']);
    },
  },
  {
    name: 'create + rm',
    clients: 2,
    work: async (subject) => {
      await subject.output(['create', '--name', 'made', 'busybox', 'true']);
      await subject.output(['rm', 'made']);
    },
  },
  {
    name: 'ps -a with 500 stopped',
    before: async ({ socket }) => {
      const body = { Image: 'busybox', Cmd: ['true'] };
      for (let made = 0; made < 500; made += 10)
        await Promise.all(
          Array.from({ length: 10 }, () => call(socket, 'POST /containers/create', { body })),
        );
    },
    work: (subject) => subject.output(['ps', '-a']),
    heavy: 'GET /v1.45/containers/json?all=1',
  },
];
