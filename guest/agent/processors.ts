import { readdir, readFile, writeFile } from 'node:fs/promises';

/**
 * Brings up the processors that the kernel was told to leave alone at boot (`maxcpus`, drivers/qemu/args.ts).
 * The kernel's Documentation/core-api/cpu_hotplug.rst; a processor that cannot be taken down has no such file.
 */
export async function bringUpProcessors(directory = '/sys/devices/system/cpu'): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = `${directory}/${name}/online`;
    if (/^cpu\d+$/.test(name) && (await readFile(file, 'utf8').catch(() => '')).trim() === '0')
      await writeFile(file, '1');
  }
}
