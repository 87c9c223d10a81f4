import type { SshTarget } from './target.ts';

/**
 * What the system's own SSH programs are told of a machine (ssh_config(5)), with values as they are written in a file.
 * The host key must be the pinned one.
 */
export function sshOptions(target: SshTarget): Readonly<Record<string, string>> {
  return {
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
}

/**
 * Arguments for the system's own `ssh`, before those of the user. The user's configuration is left out, so
 * that a machine behaves the same for everybody.
 */
export function systemSshArgs(target: SshTarget): string[] {
  return [
    '-F',
    'none',
    ...Object.entries(sshOptions(target)).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    '-i',
    target.identity,
    '-p',
    String(target.port),
    `${target.user}@${target.host}`,
  ];
}

/**
 * The same as a configuration file, for programs that reach machines by a name: each has its alias there. It holds paths
 * and no secret.
 */
export function sshConfig(targets: readonly SshTarget[]): string {
  return targets
    .map((target) => {
      const { alias, host, port, user, identity } = target;
      const where = { HostName: host, Port: port, User: user, IdentityFile: quoted(identity) };
      const lines = Object.entries({ ...where, ...sshOptions(target) });
      return [`Host ${alias}`, ...lines.map(([name, value]) => `  ${name} ${value}`), ''].join('\n');
    })
    .join('\n');
}

/** ssh_config(5) splits a value with spaces into several files unless it is quoted; `%` begins a token. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
