import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { debianTools } from './debian-tools.ts';
import { createPlayer } from './play.ts';
import { againstDockerd, cannotPlay, openSubject } from './subject.ts';
import { fitted, formatTranscript, parseTranscript, type Section } from './transcript.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
const directory = join('test', 'compat', 'transcripts');
const only = process.env.MACHINE_COMPAT_ONLY;
const names = readdirSync(directory).filter((name) => only === undefined || name.includes(only));
/** Replaces what the transcripts expect by what is seen, but for lines whose pattern fits. */
const recording = process.env.MACHINE_COMPAT_RECORD !== undefined;

t.setTimeout(600_000);

const clients: Readonly<Record<string, () => Promise<string | null>>> = {
  'docker CLI of this computer': async () => null,
  'docker CLI 26.1': async () => join(await debianTools('clients'), 'usr', 'bin'),
};

const wanted = process.env.MACHINE_COMPAT_CLIENT ?? '';

for (const [client, find] of Object.entries(clients).slice(0, recording ? 1 : undefined)) {
  if (!client.includes(wanted)) continue;
  t.test(client, { skip, timeout: 600_000 }, async (t) => {
    const found = await find().catch((error: Error) => error);
    if (found instanceof Error) return t.plan(0, `cannot be had: ${found.message}`);
    const player = await createPlayer(await openSubject(t), found);
    for (const name of names) {
      await t.test(name, { timeout: 300_000 }, async (t) => {
        const path = join(directory, name);
        const sections = parseTranscript(readFileSync(path, 'utf8'));
        const seen: Section[] = [];
        for (const section of sections) {
          const steps = (await player.play(section)).map((step, at) => ({
            ...step,
            output: fitted(section.steps[at]!.output, step.output),
          }));
          seen.push({ ...section, steps });
          if (recording) continue;
          const todo = (!againstDockerd && section.todo) || false;
          t.equal(formatTranscript([seen.at(-1)!]), formatTranscript([section]), section.title, { todo });
        }
        if (recording) writeFileSync(path, formatTranscript(seen));
      });
    }
  });
}
