import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxArchive } from '../engine/busybox-archive.ts';
import { runCommand } from '../helpers/run-command.ts';
import { normalise } from './normalise.ts';
import type { Subject } from './subject.ts';
import type { Section, Step } from './transcript.ts';

export interface Player {
  /** Runs the commands of a section in an empty directory and removes what they made in the engine. */
  play(section: Section): Promise<Step[]>;
}

/** `client` is the directory of the docker CLI to play with; null for the one on PATH. */
export async function createPlayer(subject: Subject, client: string | null): Promise<Player> {
  const path = process.env.PATH ?? '';
  const env = { ...subject.env, PATH: client === null ? path : `${client}:${path}`, LC_ALL: 'C' };
  const shell = (script: string, cwd: string) =>
    runCommand('timeout', ['-s', 'KILL', '20', 'sh', '-c', script], { env, cwd });
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
      return seen;
    },
  };
}

/** A section may have removed the image too. */
const cleanUp = `c=$(docker ps -aq) && [ -z "$c" ] || docker rm -fv $c
v=$(docker volume ls -q) && [ -z "$v" ] || docker volume rm -f $v
n=$(docker network ls -qf type=custom) && [ -z "$n" ] || docker network rm $n
i=$(docker images -a --format '{{.Repository}}:{{.Tag}} {{.ID}}' | grep -v '^busybox:latest ' | sed 's/^<none>:<none> //; s/ .*//') && docker rmi -f $i
docker image inspect busybox || docker load -i ../busybox.tar`;
