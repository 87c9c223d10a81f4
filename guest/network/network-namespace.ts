import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Conflict, Internal } from '../errors.ts';
import { programPath } from '../host/program-path.ts';

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

/**
 * Makes a namespace. `furnish` is given its path, may move links into it, and resolves with the `ip -batch`
 * script to run inside. `rules`: nftables rules for inside, which may use its loopback addresses on other
 * links. One process, which is the shell first and `ip` in the end.
 */
export async function makeNamespace(
  furnish: (path: string) => Promise<string>,
  { rules = null }: { readonly rules?: string | null } = {},
): Promise<NetworkNamespace> {
  // The shell says when it is inside, and waits; `ip` is a full path, so that it is not busybox's own.
  const filter = 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet && nft "$1" && ';
  const script = `echo && read -r _ && ${rules === null ? '' : filter}exec "$0" -batch -`;
  const args = ['unshare', '-n', 'busybox', 'sh', '-c', script, programPath('ip'), rules ?? ''];
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
    const batch = await furnish(namespace.path);
    child.stdin.end(`\n${batch}`);
    const [code] = await closed;
    if (code !== 0) throw new Internal(`cannot furnish a network namespace: ${complaint.trim()}`);
    return namespace;
  } catch (error) {
    child.stdin.destroy();
    namespace.release();
    throw error;
  }
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
