import t from 'tap';
import { ociSeccomp, parseSeccompProfile } from '../../../../guest/runtime/spec/seccomp-profile.ts';

const around = { capabilities: ['CAP_KILL'], machine: 'x86_64', kernelRelease: '6.12.3-cloud' };
const translate = (profile: object, more: Partial<typeof around> = {}) =>
  ociSeccomp(parseSeccompProfile(JSON.stringify(profile)), { ...around, ...more });
/** Names of the calls that are left of some rules. */
const names = (rules: readonly object[], more: Partial<typeof around> = {}) => {
  const syscalls = rules.map((rule) => ({ action: 'SCMP_ACT_ALLOW', ...rule }));
  const result = translate({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, more);
  return (result.syscalls as readonly { names: string[] }[]).flatMap((rule) => rule.names);
};

t.test("Docker's form becomes OCI's", async (t) => {
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    archMap: [
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] },
    ],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    syscalls: [
      { name: 'read', action: 'SCMP_ACT_ALLOW', args: [], comment: 'why', includes: {}, excludes: {} },
      {
        names: ['a', 'b'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 1,
        args: [{ index: 0, value: 5, valueTwo: 6, op: 'SCMP_CMP_MASKED_EQ' }],
      },
    ],
  };
  t.same(translate(profile), {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW' },
      {
        names: ['a', 'b'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 1,
        args: [{ index: 0, value: 5, valueTwo: 6, op: 'SCMP_CMP_MASKED_EQ' }],
      },
    ],
  });
  t.same(translate({ defaultAction: 'x', architectures: ['SCMP_ARCH_X86'] }).architectures, [
    'SCMP_ARCH_X86',
  ]);
});

t.test('any exclusion keeps a rule away, every inclusion is needed', async (t) => {
  t.same(names([{ name: 'a', includes: { caps: ['CAP_KILL', 'CAP_BPF'] } }]), []);
  t.same(names([{ name: 'a', includes: { caps: ['CAP_KILL'], arches: ['arm64', 'amd64'] } }]), ['a']);
  t.same(names([{ name: 'a', includes: { arches: ['arm64'] } }]), []);
  t.same(names([{ name: 'a', includes: { arches: ['arm64'] } }], { machine: 'aarch64' }), ['a']);
  t.same(names([{ name: 'a', excludes: { caps: ['CAP_BPF', 'CAP_KILL'] } }]), []);
  t.same(names([{ name: 'a', excludes: { arches: ['amd64'] } }]), []);
  t.same(names([{ name: 'a', excludes: { caps: ['CAP_BPF'] } }]), ['a']);
  t.same(names([{ name: 'a', includes: { minKernel: '6.12' } }]), ['a']);
  t.same(names([{ name: 'a', includes: { minKernel: '6.13' } }]), []);
  t.same(names([{ name: 'a', excludes: { minKernel: '4.8' } }]), []);
  t.same(names([{ name: 'a', includes: { minKernel: '6.9' } }], { kernelRelease: '6.10.1' }), ['a']);
});

t.test('a profile that makes no sense is refused, saying where', async (t) => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['{', /not JSON/],
    ['[]', /document: /],
    ['{}', /defaultAction: /],
    ['{"defaultAction":"x","syscalls":[{"name":"a"}]}', /syscalls\.0\.action: /],
    ['{"defaultAction":"x","listenerPath":"/x"}', /Unrecognized key: "listenerPath"/],
    ['{"defaultAction":"x","architectures":["a"],"archMap":[{"architecture":"a"}]}', /not both/],
    ['{"defaultAction":"x","syscalls":[{"name":"a","names":["b"],"action":"x"}]}', /not both/],
    [
      '{"defaultAction":"x","syscalls":[{"name":"a","action":"x","includes":{"minKernel":"new"}}]}',
      /minKernel/,
    ],
  ];
  for (const [text, error] of table) {
    t.throws(() => parseSeccompProfile(text), { message: /^Decoding seccomp profile failed: / }, text);
    t.throws(() => parseSeccompProfile(text), { message: error }, text);
  }
});
