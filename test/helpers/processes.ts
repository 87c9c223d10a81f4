import { readdirSync, readFileSync } from 'node:fs';

/** Pids of live processes whose command line contains every one of `words` (Linux only). */
export function processesWith(...words: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      const commandLine = commandLineOf(pid);
      return commandLine !== '' && words.every((word) => commandLine.includes(word));
    })
    .map(Number);
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
