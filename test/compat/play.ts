import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { busyboxArchive } from '../helpers/busybox-archive.ts';
import { runCommand } from '../helpers/run-command.ts';
import { normalise } from './normalise.ts';
import type { Subject } from './subject.ts';
import { fitted, formatTranscript, parseTranscript, type Section, type Step } from './transcript.ts';

export const transcripts = join('test', 'compat', 'transcripts');

export interface Player {
  /**
   * Runs the commands of a section in an empty directory and removes what they made in the engine. Gives what
   * was seen; a line that an expected pattern covers is that pattern.
   */
  play(section: Section): Promise<Step[]>;
}

export interface PlayOptions {
  /** Directory of the docker CLI to play with; null for the one on PATH. */
  readonly client?: string | null;
  /** A command that takes longer than this many seconds is ended: nothing here waits for long. */
  readonly patienceS?: number;
}

export async function createPlayer(
  subject: Pick<Subject, 'directory' | 'env'>,
  { client = null, patienceS = 20 }: PlayOptions = {},
): Promise<Player> {
  const path = process.env.PATH ?? '';
  const env = { ...subject.env, PATH: client === null ? path : `${client}:${path}`, LC_ALL: 'C' };
  const shell = (script: string, cwd: string) =>
    runCommand('timeout', ['-s', 'KILL', String(patienceS), 'sh', '-c', script], { env, cwd });
  const plays = join(subject.directory, 'play');
  await mkdir(plays);
  await writeFile(join(plays, 'busybox.tar'), await busyboxArchive());
  return {
    async play({ steps }) {
      const cwd = await mkdtemp(join(plays, 's-'));
      const seen: Step[] = [];
      for (const { command } of steps) {
        const { stdout, exitCode } = await shell(`exec 2>&1\n${command}`, cwd);
        seen.push({ command, output: normalise(stdout), exitCode });
      }
      await shell(cleanUp, cwd);
      return steps.map(({ output }, at) => ({ ...seen[at]!, output: fitted(output, seen[at]!.output) }));
    },
  };
}

export function readTranscript(name: string): Section[] {
  return parseTranscript(readFileSync(join(transcripts, `${name}.txt`), 'utf8'));
}

/** Plays sections; each is one assertion, whose difference shows the transcript's lines. */
export async function checkSections(
  t: Test,
  player: Player,
  sections: readonly Section[],
  { mindTodo = true }: { readonly mindTodo?: boolean } = {},
): Promise<void> {
  for (const section of sections) {
    const seen = { ...section, steps: await player.play(section) };
    const todo = (mindTodo && section.todo) || false;
    t.equal(formatTranscript([seen]), formatTranscript([section]), section.title, { todo });
  }
}

/** A section may have removed the image too. */
const cleanUp = `docker ps -aq >c & docker volume ls -q >v & docker network ls -qf type=custom >n &
docker images -a --format '{{.Repository}}:{{.Tag}} {{.ID}}' | grep -v '^busybox:latest ' | sed 's/^<none>:<none> //; s/ .*//' >i & wait
[ ! -s c ] || docker rm -fv $(cat c)
[ ! -s v ] || docker volume rm -f $(cat v)
[ ! -s n ] || docker network rm $(cat n)
[ ! -s i ] || docker rmi -f $(cat i)
docker image inspect busybox || docker load -i ../busybox.tar`;
