import type { SshTarget } from './target.ts';

/**
 * Arguments for the system's own `ssh`, before those of the user. The user's configuration is left out, so
 * that a machine behaves the same for everybody; the host key must be the pinned one.
 */
export function systemSshArgs(target: SshTarget): string[] {
  const options = {
    UserKnownHostsFile: quoted(target.knownHosts),
    GlobalKnownHostsFile: 'none',
    HostKeyAlias: target.alias,
    StrictHostKeyChecking: 'yes',
    IdentitiesOnly: 'yes',
    PasswordAuthentication: 'no',
    LogLevel: 'ERROR',
    ConnectTimeout: '10',
    ServerAliveInterval: '15',
  };
  return [
    '-F',
    'none',
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    '-i',
    target.identity,
    '-p',
    String(target.port),
    `${target.user}@${target.host}`,
  ];
}

/** ssh_config(5) splits a value with spaces into several files unless it is quoted; `%` begins a token. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
