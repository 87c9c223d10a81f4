import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { debianClients } from './debian-clients.ts';
import { checkSections, createPlayer, readTranscript, transcripts } from './play.ts';
import { againstDockerd, cannotPlay, openSubject } from './subject.ts';
import { formatTranscript, type Section } from './transcript.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(1_700_000);

// For work on them: parts of the names of transcripts and of clients.
const { MACHINE_COMPAT_ONLY: only = '', MACHINE_COMPAT_CLIENT: wanted = '' } = process.env;
/** Replaces what the transcripts expect by what is seen, but for lines whose pattern fits. */
const recording = process.env.MACHINE_COMPAT_RECORD !== undefined;
const names = readdirSync(transcripts)
  .map((file) => file.replace(/\.txt$/, ''))
  .filter((name) => name.includes(only));

const clients: Readonly<Record<string, string | null | Error>> = {
  'docker CLI of this computer': null,
  'docker CLI 26.1': debianClients instanceof Error ? debianClients : join(debianClients, 'usr', 'bin'),
};

for (const [name, client] of Object.entries(clients).slice(0, recording ? 1 : undefined)) {
  if (!name.includes(wanted)) continue;
  t.test(name, { skip, timeout: 1_700_000 }, async (t) => {
    if (client instanceof Error) return t.plan(0, `cannot be had: ${client.message}`);
    const player = await createPlayer(await openSubject(t), { client });
    for (const name of names) {
      await t.test(name, { timeout: 1_700_000 }, async (t) => {
        const sections = readTranscript(name);
        if (!recording) return checkSections(t, player, sections, { mindTodo: !againstDockerd });
        const seen: Section[] = [];
        for (const section of sections) seen.push({ ...section, steps: await player.play(section) });
        writeFileSync(join(transcripts, `${name}.txt`), formatTranscript(seen));
      });
    }
  });
}
