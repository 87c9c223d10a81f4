import {
  allowedCalls,
  callsOfArch,
  callsOfCapability,
  seccompArches,
  tracingCalls,
} from './seccomp-calls.ts';

interface Rule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly { index: number; value: number; valueTwo?: number; op: string }[];
}

const ENOSYS = 38;
/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}, linux/sched.h. */
const newNamespaces = 0x7e020000;
/** personality(2) values that Docker lets through. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];
const AF_ALG = 38;
const AF_VSOCK = 40;

/** Docker's default profile for a container with these capabilities, in the OCI form (config-linux.md, "Seccomp"). */
export function defaultSeccomp(
  capabilities: readonly string[],
  machine: string,
): Readonly<Record<string, unknown>> {
  const allow = (names: readonly string[], args?: Rule['args']): Rule => ({
    names,
    action: 'SCMP_ACT_ALLOW',
    ...(args ? { args } : {}),
  });
  const granted = Object.entries(callsOfCapability).filter(([name]) => capabilities.includes(name));
  const rules: Rule[] = [
    allow([...allowedCalls, ...tracingCalls, ...(callsOfArch[machine] ?? [])]),
    // Address families that reach past the container's namespaces or had holes: kernel crypto, the hypervisor.
    allow(['socket'], [{ index: 0, value: AF_ALG, op: 'SCMP_CMP_LT' }]),
    allow(['socket'], [{ index: 0, value: AF_ALG + 1, op: 'SCMP_CMP_EQ' }]),
    allow(['socket'], [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_GT' }]),
    ...personalities.map((value) => allow(['personality'], [{ index: 0, value, op: 'SCMP_CMP_EQ' }])),
    ...granted.map(([, names]) => allow(names)),
  ];
  if (!capabilities.includes('CAP_SYS_ADMIN')) {
    rules.push(
      allow(['clone'], [{ index: 0, value: newNamespaces, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
      // Its flags are behind a pointer that seccomp cannot follow; ENOSYS makes libc fall back to clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    );
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: seccompArches[machine] ?? [],
    syscalls: rules,
  };
}
