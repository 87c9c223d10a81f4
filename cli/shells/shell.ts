/** How one shell sets and unsets variables. */
export interface Shell {
  set(name: string, value: string): string;
  unset(name: string): string;
  /** The comment that says how to run `command`'s output in this shell; without a newline at its end. */
  hint(command: string): string;
}

const say = 'Run this command to configure your shell: ';

/** What ends or opens something inside a POSIX shell's double quotes. */
function doubleQuoted(value: string): string {
  return value.replace(/["$`\\]/g, '\\$&');
}

const posix: Shell = {
  set: (name, value) => `export ${name}="${doubleQuoted(value)}"`,
  unset: (name) => `unset ${name}`,
  hint: (command) => `# ${say}\n# eval $(${command})`,
};

const fish: Shell = {
  set: (name, value) => `set -gx ${name} "${value.replace(/["$\\]/g, '\\$&')}";`,
  unset: (name) => `set -e ${name};`,
  hint: (command) => `# ${say}\n# eval (${command})`,
};

const tcsh: Shell = {
  // Nothing can be escaped inside csh's double quotes: such a character gets single quotes of its own.
  set: (name, value) => `setenv ${name} "${value.replace(/["$`!]/g, (c) => `"'${c}'"`)}";`,
  unset: (name) => `unsetenv ${name};`,
  hint: (command) => `# ${say}\n# eval \`${command}\``,
};

const powershell: Shell = {
  set: (name, value) => `$Env:${name} = "${value.replace(/["$`]/g, '`$&')}"`,
  unset: (name) => `Remove-Item Env:\\\\${name}`,
  hint: (command) => `# ${say}\n# & ${command} | Invoke-Expression`,
};

const cmd: Shell = {
  set: (name, value) => `SET ${name}=${value}`,
  unset: (name) => `SET ${name}=`,
  hint: (command) => `REM ${say}\nREM \t@FOR /f "tokens=*" %i IN ('${command}') DO @%i`,
};

const emacs: Shell = {
  set: (name, value) => `(setenv "${name}" "${value.replace(/["\\]/g, '\\$&')}")`,
  unset: (name) => `(setenv "${name}" nil)`,
  hint: (command) =>
    `;; ${say}\n;; (with-temp-buffer (shell-command "${command}" (current-buffer)) (eval-buffer))`,
};

export const shells: Readonly<Record<string, Shell>> = {
  bash: posix,
  zsh: posix,
  sh: posix,
  fish,
  tcsh,
  powershell,
  cmd,
  emacs,
};
