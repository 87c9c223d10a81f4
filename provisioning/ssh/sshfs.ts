type Command = { readonly program: string; readonly args: readonly string[] };

/**
 * Mounts a machine's directory, as `programLocation` writes it, at a directory of this computer. What the machine's user
 * has is shown as the own user's; a machine that was away is connected to again.
 */
export function sshfsCommand(remote: string, mountpoint: string, configFile: string): Command {
  return { program: 'sshfs', args: ['-F', configFile, '-o', 'reconnect,idmap=user', remote, mountpoint] };
}

/** The ways to unmount it; the first that this computer has is to be taken. */
export function unmountCommands(
  mountpoint: string,
  platform: NodeJS.Platform = process.platform,
): readonly Command[] {
  const umount = { program: 'umount', args: [mountpoint] };
  // Whoever mounted something may not use `umount` there, but on macOS and the BSDs.
  if (platform !== 'linux') return [umount];
  return [...['fusermount3', 'fusermount'].map((program) => ({ program, args: ['-u', mountpoint] })), umount];
}
