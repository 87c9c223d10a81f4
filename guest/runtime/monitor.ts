import type { Mount } from '../layers/snapshotter.ts';

/**
 * The monitor: what stands between a container and the agent, so that either may end without the other.
 * A busybox shell (0.3 MB of its own) in a session and mount namespace of its own:
 *
 *   agent ──spawn──> sh ──> crun run (foreground) ──> the container
 *                    with a terminal: sh ──> socat ──> sh inner ──> crun run
 *
 * In its run directory:
 *
 *   config.json process.json   what to run, written by the agent
 *   monitor     the shell's own line of /proc/PID/stat: who it is
 *   pid         written by crun when the container has started
 *   log         crun's complaints, JSON lines (or the words of `mount`)
 *   exit        exit code and a newline, one write: the container is gone
 *   stdin stdout stderr   FIFOs; `eof`: opening it for writing closes the container's stdin
 *   alive       a FIFO that only the shell has open for writing: its end is the shell's
 *   inner code  with a terminal: the shell that socat runs, and its exit code
 *   rootfs      mounted in this namespace only, so that the mount vanishes with its last process
 *
 * The shell keeps read ends of stdout and stderr, from which it never reads: a container that writes while
 * the agent is away gets no SIGPIPE but, when the pipe is full, waits. It keeps no write end, so the agent
 * sees the true end of output. In the end it stops itself (SIGSTOP) to hold what was not read yet; the agent
 * kills it when it has read all.
 */
export const monitorScript = `
run=$1 verb=$2 id=$3 tty=$4 stdin=$5 crun=$6
cd "$run" || exit
read -r stat </proc/$$/stat; echo "$stat" >monitor
end() { echo "$1" >exit; kill -STOP $$; exit; }
mkfifo -m 600 stdin stdout stderr eof alive || end 125
exec 8<>alive
if [ "$verb" = run ]; then
  cd "$7" && mount -i -t "$8" -o "\${10}" "$9" "$run/rootfs" 2>"$run/log" 8>&- || end 125
  cd "$run"
  set -- --bundle "$run"
else
  set -- --process process.json
fi
start="$crun --log log --log-format json $verb --pid-file pid $*"
if [ "$tty" ]; then
  echo "$start $id; echo \\$? >code" >inner
  exec 6<>stdin 3<>stdout 4<stdout 3>&-
  socat -b32768 -t0 'OPEN:stdin!!OPEN:stdout,wronly' 'EXEC:busybox sh inner,pty,setsid,ctty,raw,echo=0' 4<&- 6<&- 8>&- 2>socat.err
  read -r code <code || code=125
  end "$code"
fi
exec 3<>stdout 4<stdout 3>&- 3<>stderr 5<stderr 3>&-
if [ "$stdin" ]; then
  exec 3<>stdin 6<stdin 7>stdin 3>&-
  # Holds the container's stdin open while the agent is away.
  read -r _ <eof 4<&- 5<&- 6<&- 8>&- & holder=$!
  exec 7>&-
else
  exec 6</dev/null
fi
$start "$id" <&6 >stdout 2>stderr 4<&- 5<&- 6<&- 8>&-
code=$?
[ -z "$holder" ] || kill $holder 2>/dev/null
end $code
`;

/** Arguments for `busybox` that start a monitor. Paths must have no white space. */
export function monitorCommand(options: {
  readonly directory: string;
  readonly verb: 'run' | 'exec';
  readonly containerId: string;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly crunRoot: string;
  /** For `run`. */
  readonly rootfs: Mount | null;
}): string[] {
  const { rootfs } = options;
  return [
    // `slave`: what the engine unmounts is unmounted here too, and nothing done here is seen outside.
    ...(rootfs ? ['unshare', '-m', '--propagation', 'slave', 'busybox'] : []),
    'sh',
    '-c',
    monitorScript,
    'monitor',
    options.directory,
    options.verb,
    options.containerId,
    options.terminal ? 'tty' : '',
    options.openStdin ? 'stdin' : '',
    `crun --root ${options.crunRoot}`,
    ...(rootfs ? [rootfs.cwd ?? '/', rootfs.type, rootfs.source, rootfs.options.join(',')] : []),
  ];
}
