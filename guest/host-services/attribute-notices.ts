import { tryRun } from '../host/exec.ts';
import type { HostChanges } from '../wire/index.ts';

/** Made at the start of a VM (guest/boot, `directories`), with the number of a directory below. Links are not followed. */
const writable = '/run/machine/shares';
/** The same, read-only: nothing can be made here. */
const readable = '/run/machine/shares-read-only';

/**
 * From asking for the mode to setting it, a chunk is asked and set at once: some milliseconds in which a `chmod` on the host would be
 * undone.
 */
const chunk = 32;

/**
 * What containers write comes back here, too. At this niceness it takes a tenth of a processor that they would have, since
 * their control group weighs as much as one process of niceness 0.
 */
const niceness = 10;

/**
 * `mkdir` of what is there is the one call that has the kernel ask the server anew, whatever it remembers of a name (it must
 * know that nothing is there); it makes nothing, where nothing can be made. So a file that has another's place is known as
 * that one, and modes are those of now. The root of a mount has no name: reading it makes its attributes old.
 */
const script = `
cd ${readable} && mkdir "$@"
for path; do case $path in */*) ;; *) ls "$path" ;; esac; done
cd ${writable} && chmod u+u "$@"
`;

/**
 * Makes the kernel tell of changes in directories that it has by virtiofs, with IN_ATTRIB: each gets the mode that it has.
 * The server does that on the host, where it changes nothing but the time of the last change of attributes (ctime). Never
 * fails: what is gone meanwhile, or is not the user's, tells nothing.
 */
export async function tellByAttributes({ gone, directories, files }: HostChanges): Promise<void> {
  // What is gone is only asked for anew; the rest in this order, as entries are read before files.
  await tellAll([...gone, ...directories, ...files]);
}

async function tellAll(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const input = Buffer.from(paths.map((path) => `${path.slice(1)}\0`).join(''), 'latin1');
  const inChunks = `renice ${niceness} $$; exec xargs -0 -n ${chunk} sh -c "$0" sh`;
  await tryRun('sh', ['-c', inChunks, script], { input }).catch(() => {});
}
