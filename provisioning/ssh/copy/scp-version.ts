import { execFile } from 'node:child_process';

/** The first whose `scp` speaks SFTP (its release notes). */
const first = [8, 7] as const;

/** Whether this computer's OpenSSH is as new as that, by what `ssh -V` says; false where there is none. */
export async function scpSpeaksSftp(): Promise<boolean> {
  return await new Promise((resolve) =>
    execFile('ssh', ['-V'], (error, stdout, stderr) =>
      resolve(error === null && isNewEnough(`${stderr}${stdout}`)),
    ),
  );
}

export function isNewEnough(text: string): boolean {
  const [, major, minor] = /^OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/m.exec(text) ?? [];
  if (major === undefined) return false;
  return Number(major) > first[0] || (Number(major) === first[0] && Number(minor) >= first[1]);
}
