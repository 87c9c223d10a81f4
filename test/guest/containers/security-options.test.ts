import t from 'tap';
import { parseSecurityOptions } from '../../../guest/containers/security-options.ts';

t.test('security options are read in all forms that clients send', async (t) => {
  const table: readonly (readonly [string, object])[] = [
    ['no-new-privileges', { noNewPrivileges: true }],
    ['no-new-privileges=true', { noNewPrivileges: true }],
    ['no-new-privileges:false', { noNewPrivileges: false }],
    ['seccomp=unconfined', { seccomp: 'unconfined' }],
    ['seccomp=builtin', { seccomp: 'default' }],
    ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}', { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } }],
    ['apparmor=unconfined', { warnings: [] }],
    ['writable-cgroups=true', { writableCgroups: true }],
    ['label=type:x_t', { warnings: [/SELinux/] }],
    ['label:disable', { warnings: [/SELinux/] }],
    ['disable', { warnings: [/SELinux/] }],
  ];
  for (const [option, expected] of table) t.match(parseSecurityOptions([option]), expected, option);
});

t.test('others are refused', async (t) => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['odd', /invalid --security-opt 1: "odd"/],
    ['odd=1', /invalid --security-opt 2: "odd=1"/],
    ['no-new-privileges=maybe', /invalid --security-opt 2/],
    ['apparmor=docker-default', /AppArmor is not enabled/],
    ['seccomp=/a/file', /Decoding seccomp profile failed/],
  ];
  for (const [option, error] of table) t.throws(() => parseSecurityOptions([option]), error, option);
});
