import type { Mount } from '../layers/snapshotter.ts';

/**
 * Beside crun in a terminal: crun stops moving bytes when its last child has ended, whether or not it has read
 * what the program wrote last. This child ends after the program: when the kernel has had time to hand over the
 * terminal's buffer and crun, which $$ is, sleeps again for want of bytes. Some never do (1.21: it is told of the
 * terminal's end again and again, but only when there are no bytes before it), so it is not waited for long.
 */
const companion = `(
  read -r pid <io/pid; echo "$pid" >pid
  waitpid "$pid" || pidwait -F pid
  for _ in 1 2 3 4; do
    sleep 0.02
    read -r _ _ state _ </proc/$$/stat
    [ "$state" != S ] || break
  done
) 2>/dev/null`;

/**
 * Beside crun where a container shares the process ids of others: crun is the parent of what the program leaves behind
 * and waits for that, too, which must end with the program, as it does where the kernel sees to it (pid_namespaces(7)).
 */
const sweeper = `(
  read -r pid <io/pid; echo "$pid" >pid
  waitpid "$pid" || pidwait -F pid
  $crun kill --all "$id" KILL
) </dev/null >/dev/null 2>&1`;

/**
 * The monitor: what stands between a container and the agent, so that either may end without the other.
 * A busybox shell (0.3 MB of its own), for a container in a mount namespace of its own:
 *
 *   agent ──starter──> sh ──> crun run (foreground) ──> the container
 *                       │     with a terminal: sh ──> script ──> crun run and its companion
 *                       ├──> sh, where process ids are shared: ends what the program leaves behind
 *                       └──> dd: the first drain of stdout (drain.ts)
 *
 * In its run directory:
 *
 *   config.json process.json   what to run, written by the agent
 *   monitor     the shell's own line of /proc/PID/stat: who it is
 *   pid         the container has started; written by crun, or by what is beside it
 *   log         crun's complaints, JSON lines (or the words of `mount`)
 *   exit        exit code and a newline, one write: the container is gone
 *   rootfs      mounted in this namespace only, so that the mount vanishes with its last process
 *   stdout.N stderr.N   of a container: what it wrote (spooled-output.ts)
 *   io/         FIFOs, made ahead (fifo-sets.ts), and what else nobody watches:
 *     stdin stdout stderr
 *     eof         opening it for writing closes the container's stdin
 *     pid         by which that learns it from crun
 *     alive       only the shell has it open for writing: its end is the shell's
 *     stdout.drain stderr.drain   the same for what empties these FIFOs
 *     logged      up to where the output is in the log (logs/checkpoint.ts)
 *
 * A container's output goes FIFO ──> dd ──> segment file, and the agent reads the file; an exec session's
 * ends with the agent, which reads its FIFOs itself. The shell keeps read ends of stdout and stderr, from
 * which it never reads: a container that writes while nobody empties them gets no SIGPIPE but, when the pipe
 * is full, waits. Until crun has ended it also keeps write ends, so that whoever reads meets no end before
 * the beginning. In the end it stops itself (SIGSTOP) to hold what was not read yet; the agent kills it when
 * it has read all.
 *
 * crun moves bytes between a terminal and its own stdin and stdout, but wants its stdin to be a terminal
 * (tcgetattr in libcrun_set_raw): `script` is there to be the other end of one. Output does not pass it.
 */
export const monitorScript = `
companion='${companion}'
run=$1 verb=$2 id=$3 tty=$4 stdin=$5 crun=$6 shared=$7
cd "$run" || exit
read -r stat </proc/self/stat; echo "$stat" >monitor
end() { echo "$1" >exit; exec 3<&- 9<&-; kill -STOP "\${stat%% *}"; exit; }
exec 8<>io/alive
if [ "$verb" = run ]; then
  cd "$9" && mount -i -t "\${10}" -o "\${12}" "\${11}" "$run/rootfs" 2>"$run/log" 8>&- || end 125
  cd "$run"
  segment=$8 oom=
  set -- --bundle "$run"
else
  segment= oom=$9
  set -- --process process.json
fi
pid=pid
if [ "$tty" ]; then
  exec 6<>io/stdin
  pid=io/pid
elif [ "$stdin" ]; then
  exec 3<>io/stdin 6<io/stdin 7>io/stdin 3>&-
  # Holds the container's stdin open while the agent is away.
  read -r _ <io/eof 6<&- 8>&- & holder=$!
  exec 7>&-
else
  exec 6</dev/null
fi
[ -z "$shared" ] || pid=io/pid
# crun gives it to containers only.
scored="\${oom:+echo $oom >/proc/self/oom_score_adj; }"
start="$crun --log log --log-format json $verb --pid-file $pid $*"
exec 3<>io/stdout 4<io/stdout 9<>io/stderr 5<io/stderr
if [ "$segment" ]; then
  # Here before the container is, so that nobody takes the FIFO for one that has no drain.
  exec 7<>io/stdout.drain
  : >>stdout.0
  dd bs=64k count="$segment" iflag=count_bytes status=none \\
    <&4 >>stdout.0 2<&7 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&- &
  exec 7<&-
fi
if [ "$tty" ]; then
  [ -z "$shared" ] || companion="{ $companion; $crun kill --all $id KILL >/dev/null 2>&1; }"
  script -qec "$companion & $scored exec $start $id >io/stdout" /dev/null <&6 >/dev/null 2>&1 3<&- 4<&- 5<&- 6<&- 8<&- 9<&-
else
  [ -z "$shared" ] || ${sweeper} 3<&- 4<&- 5<&- 6<&- 8<&- 9<&- &
  (eval "$scored"; exec $start "$id") <&6 >io/stdout 2>io/stderr 3<&- 4<&- 5<&- 6<&- 8<&- 9<&-
fi
code=$?
[ -z "$holder" ] || kill $holder 2>/dev/null
end $code
`;

/** Arguments of the script. Paths must have no white space. */
export function monitorArguments(options: {
  readonly directory: string;
  readonly verb: 'run' | 'exec';
  readonly containerId: string;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly crunRoot: string;
  /** Its process ids are those of the host, or of another container. */
  readonly sharesProcesses: boolean;
  readonly segmentBytes: number;
  /** For `run`. */
  readonly rootfs: Mount | null;
  /** For `exec`, unless it is that of the engine. */
  readonly oomScoreAdj?: number;
}): string[] {
  const { rootfs, verb, oomScoreAdj } = options;
  return [
    options.directory,
    options.verb,
    options.containerId,
    options.terminal ? 'tty' : '',
    options.openStdin ? 'stdin' : '',
    `crun --root ${options.crunRoot}`,
    options.sharesProcesses ? 'shared' : '',
    `${options.segmentBytes}`,
    ...(rootfs ? [rootfs.cwd ?? '/', rootfs.type, rootfs.source, rootfs.options.join(',')] : []),
    ...(verb === 'exec' && oomScoreAdj ? [`${oomScoreAdj}`] : []),
  ];
}
