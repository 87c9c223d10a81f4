import { InvalidParameter, NotImplemented } from '../errors.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined';
}

/** `--security-opt`. A seccomp profile of the user's own is refused until it is translated. Throws. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: SecurityOptions['seccomp'] = 'default';
  for (const option of options) {
    const [name, value = ''] = option.split(/[=:](.*)/s);
    if (name === 'no-new-privileges') noNewPrivileges = value !== 'false';
    else if (name === 'seccomp' && value === 'unconfined') seccomp = 'unconfined';
    else if (name === 'seccomp' && (value === 'builtin' || value === 'default')) seccomp = 'default';
    else if (name === 'seccomp')
      throw new NotImplemented('a seccomp profile of your own is not supported by this engine');
    // There is no AppArmor nor SELinux in the guest: nothing confines, which is what these ask for.
    else if ((name === 'apparmor' && value === 'unconfined') || (name === 'label' && value === 'disable'))
      continue;
    else throw new InvalidParameter(`invalid --security-opt 2: ${JSON.stringify(option)}`);
  }
  return { noNewPrivileges, seccomp };
}
