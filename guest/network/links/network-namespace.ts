import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Conflict, Internal } from '../../errors.ts';
import { run } from '../../host/exec.ts';
import { programPath } from '../../host/program-path.ts';

/**
 * A network namespace that is held by nothing but an open file of this process (namespaces(7)): once a
 * container runs in it, its processes hold it too. The kernel frees it, and every link in it, with the last
 * holder. So neither a crash of the engine nor of a container can leave one behind, and giving one back
 * costs no process.
 */
export interface NetworkNamespace {
  /** For setns(2), by this process and its children. */
  readonly path: string;
  /** Lets go of it. Idempotent. */
  release(): void;
}

/** What is done inside a namespace, in this order. */
export interface Furnishing {
  /** Links get the names that they are to have. */
  readonly renames: readonly { readonly from: string; readonly to: string }[];
  /** Names below /proc/sys/net. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
  /** An nftables script. */
  readonly rules: string | null;
  /** A script for `ip -batch`. */
  readonly batch: string;
}

/**
 * Makes a namespace. `furnish` is given its path, may move links into it, and says what to do inside. One
 * process, which is the shell first and `ip` in the end.
 */
export async function makeNamespace(
  furnish: (path: string) => Promise<Furnishing>,
): Promise<NetworkNamespace> {
  // The shell says when it is inside, and waits.
  const args = ['unshare', '-n', 'busybox', 'sh', '-c', `echo && ${furnisher}`, programPath('ip')];
  const child = spawn('busybox', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  child.stdin.on('error', () => {});
  const closed = once(child, 'close') as Promise<[number | null]>;
  const inside = once(child.stdout, 'data').then(() => true);
  // `closed` rejects when busybox cannot be run at all.
  if (!(await Promise.race([inside, closed.then(() => false)]))) {
    throw new Internal(`cannot make a network namespace: ${complaint.trim()}`);
  }
  const namespace = hold(`/proc/${child.pid}/ns/net`);
  try {
    child.stdin.end(instructions(await furnish(namespace.path)));
    const [code] = await closed;
    if (code !== 0) throw new Internal(`cannot furnish a network namespace: ${complaint.trim()}`);
    return namespace;
  } catch (error) {
    child.stdin.destroy();
    namespace.release();
    throw error;
  }
}

/** Changes a namespace that is there. Throws when something of it cannot be done; the rest may be. */
export async function furnishNamespace(path: string, furnishing: Furnishing): Promise<void> {
  const args = ['nsenter', `-n${path}`, 'busybox', 'sh', '-c', furnisher, programPath('ip')];
  await run('busybox', args, { input: instructions(furnishing) });
}

/** Reads one line of commands for itself, and leaves the rest to `ip`: a full path, so that it is not busybox's own. */
const furnisher = 'read -r commands && eval "$commands" && exec "$0" -batch -';

function instructions({ renames, sysctls, rules, batch }: Furnishing): string {
  const commands = [
    ...renames.map(({ from, to }) => `"$0" link set ${from} name ${to}`),
    ...sysctls.map(({ name, value }) => `echo ${value} > /proc/sys/net/${name}`),
  ];
  if (rules !== null) commands.push(`nft '${rules.replaceAll('\n', ' ')}'`);
  return `${[...commands, 'true'].join(' && ')}\n${batch}`;
}

/** Holds the namespace of a running process. Throws Conflict when it has ended. */
export function joinNamespace(target: {
  readonly containerId: string;
  readonly pid: number;
}): NetworkNamespace {
  try {
    return hold(`/proc/${target.pid}/ns/net`);
  } catch (cause) {
    throw new Conflict(`cannot join network of a non running container: ${target.containerId}`, { cause });
  }
}

function hold(path: string): NetworkNamespace {
  const file = openSync(path, 'r');
  let held = true;
  return {
    path: `/proc/${process.pid}/fd/${file}`,
    release: () => {
      if (held) closeSync(file);
      held = false;
    },
  };
}
