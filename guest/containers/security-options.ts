import { InvalidParameter } from '../errors.ts';
import { parseSeccompProfile, type SeccompProfile } from '../runtime/spec/seccomp-profile.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
  readonly writableCgroups: boolean;
  readonly warnings: readonly string[];
}

const labelWarning =
  'Security labels (SELinux) do not exist on this host. The options "label=..." are discarded.';

/** `--security-opt`. Throws InvalidParameter. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let writableCgroups = false;
  let seccomp: SecurityOptions['seccomp'] = 'default';
  const warnings = new Set<string>();
  for (const option of options) {
    const [name = '', value] = option.split(/[=:](.*)/s);
    const flag = () => {
      if (value === undefined || ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
      if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
      throw new InvalidParameter(`invalid --security-opt 2: ${JSON.stringify(option)}`);
    };
    if (name === 'no-new-privileges') noNewPrivileges = flag();
    else if (name === 'writable-cgroups') writableCgroups = flag();
    else if (name === 'disable' && value === undefined) warnings.add(labelWarning);
    else if (value === undefined)
      throw new InvalidParameter(`invalid --security-opt 1: ${JSON.stringify(option)}`);
    else if (name === 'seccomp') seccomp = seccompOf(value);
    else if (name === 'label') warnings.add(labelWarning);
    else if (name === 'apparmor') checkAppArmor(value);
    else throw new InvalidParameter(`invalid --security-opt 2: ${JSON.stringify(option)}`);
  }
  return { noNewPrivileges, writableCgroups, seccomp, warnings: [...warnings] };
}

/** The CLI sends a profile's text, not its file's name. */
function seccompOf(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return 'unconfined';
  return value === 'builtin' || value === 'default' ? 'default' : parseSeccompProfile(value);
}

/** There is no AppArmor in the guest: nothing confines, which is what `unconfined` asks for. */
function checkAppArmor(profile: string): void {
  if (profile !== 'unconfined')
    throw new InvalidParameter(`AppArmor is not enabled on this host; apparmor=${profile} cannot be applied`);
}
