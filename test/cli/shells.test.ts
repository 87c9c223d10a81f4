import { execFileSync, spawnSync } from 'node:child_process';
import t from 'tap';
import { detectShell } from '../../cli/shells/detect.ts';
import { shells } from '../../cli/shells/shell.ts';

t.test('each shell gets its own syntax', async (t) => {
  const rows: [string, string, string][] = [
    ['bash', 'export A="/x y"', 'unset A'],
    ['zsh', 'export A="/x y"', 'unset A'],
    ['sh', 'export A="/x y"', 'unset A'],
    ['fish', 'set -gx A "/x y";', 'set -e A;'],
    ['tcsh', 'setenv A "/x y";', 'unsetenv A;'],
    ['powershell', '$Env:A = "/x y"', 'Remove-Item Env:\\\\A'],
    ['cmd', 'SET A=/x y', 'SET A='],
    ['emacs', '(setenv "A" "/x y")', '(setenv "A" nil)'],
  ];
  for (const [name, set, unset] of rows) {
    t.equal(shells[name]!.set('A', '/x y'), set, name);
    t.equal(shells[name]!.unset('A'), unset, name);
  }
  t.same(Object.keys(shells).sort(), rows.map(([name]) => name).sort());
});

t.test('a value with everything that shells heed comes through', async (t) => {
  const value = 'C:\\a b\\$HOME "q" `id` !x \'y\'';
  for (const [name, program] of [
    ['sh', 'sh'],
    ['bash', 'bash'],
    ['fish', 'fish'],
    ['tcsh', 'tcsh'],
  ] as const) {
    const missing = spawnSync(program, ['-c', 'true']).error !== undefined;
    t.test(name, { skip: missing && `no ${program} on this computer` }, async (t) => {
      const script = `${shells[name]!.set('A', value)}\nprintenv A`;
      t.equal(execFileSync(program, ['-c', script], { encoding: 'utf8' }), `${value}\n`);
    });
  }
});

t.test('the shell is found out', async (t) => {
  const parent = async () => 'pwsh.exe\r\n';
  const rows: [Parameters<typeof detectShell>[0], string][] = [
    [{ env: { SHELL: '/usr/bin/fish' }, platform: 'linux' }, 'fish'],
    [{ env: { SHELL: '/bin/csh' }, platform: 'linux' }, 'tcsh'],
    [{ env: { SHELL: '/bin/dash' }, platform: 'linux' }, 'bash'],
    [{ env: {}, platform: 'linux' }, 'bash'],
    [{ env: { SHELL: 'C:\\Program Files\\Git\\usr\\bin\\bash.exe' }, platform: 'win32', parent }, 'bash'],
    [{ env: {}, platform: 'win32', parent }, 'powershell'],
    [{ env: {}, platform: 'win32', parent: async () => 'explorer' }, 'cmd'],
  ];
  for (const [about, expected] of rows) t.equal(await detectShell(about), expected, JSON.stringify(about));
});
