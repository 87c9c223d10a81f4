import { chmodSync, chownSync, mkdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Digest } from '../../digest.ts';
import { run } from '../../host/exec.ts';
import { ConfinedRoot } from '../../layers/confined-root.ts';
import type { BindMount } from '../../runtime/spec/mounts.ts';
import type { BuildSupply, OpenContext } from '../build.ts';
import { BuildError } from '../build-error.ts';
import type { MountStore } from '../cache/mount-store.ts';
import { select } from '../files/select.ts';
import type { RunMount } from './mount-flag.ts';
import type { ShownTrees } from './shown-trees.ts';

/** Where the script of a heredoc is mounted that has an interpreter of its own. */
export const scriptPath = '/dev/pipes/EOF';

/** Where a mount's files come from, resolved. */
export type MountTree =
  | { readonly kind: 'directory'; readonly directory: string; readonly hashOf: OpenContext['hashOf'] }
  | { readonly kind: 'chain'; readonly chainId: Digest | null };

export interface MountParts {
  readonly trees: ShownTrees;
  readonly mounts: MountStore;
  readonly supply: BuildSupply;
  /** On a tmpfs, for secrets, and on the data disk, for what is written and thrown away. */
  readonly secretDirectory: string;
  readonly scratchDirectory: string;
  /** To be found by the step at {@link scriptPath}. */
  readonly script: Buffer | null;
  treeOf(from: string | null): Promise<MountTree>;
}

export interface StepMounts extends AsyncDisposable {
  readonly binds: readonly BindMount[];
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly env: readonly string[];
  /** Paths in the step's files that the mounts need. */
  readonly targets: readonly string[];
}

/** Everything that `--mount` asks for, ready to be bound. Throws BuildError; then nothing is left. */
export async function openMounts(
  wishes: readonly RunMount[],
  cwd: string,
  parts: MountParts,
): Promise<StepMounts> {
  const stack = new AsyncDisposableStack();
  const binds: BindMount[] = [];
  const tmpfs: Record<string, string> = {};
  const env: string[] = [];
  mkdirSync(parts.secretDirectory, { recursive: true, mode: 0o700 });
  stack.defer(() => rmSync(parts.secretDirectory, { recursive: true, force: true }));
  try {
    if (parts.script) {
      const file = join(parts.secretDirectory, 'script');
      writeFileSync(file, parts.script, { mode: 0o755 });
      binds.push(bind(file, scriptPath, { readonly: true }));
    }
    for (const [i, wish] of wishes.entries()) {
      const target = 'target' in wish && wish.target !== null ? posix.resolve(cwd, wish.target) : null;
      if (wish.type === 'tmpfs') {
        tmpfs[target!] = wish.sizeBytes > 0 ? `size=${wish.sizeBytes}` : '';
      } else if (wish.type === 'bind') {
        const source = wish.readonly
          ? await sourceOf(await parts.treeOf(wish.from), wish.source, parts)
          : await writableSource(await parts.treeOf(wish.from), wish.source, parts, `${i}`, stack);
        binds.push(bind(source, target!, { readonly: wish.readonly }));
      } else if (wish.type === 'cache') {
        const opened = await parts.mounts.open(
          { ...wish, fill: (directory) => fill(directory, wish, parts) },
          parts.supply.signal,
        );
        stack.use(opened);
        binds.push(bind(opened.directory, target!, { readonly: wish.readonly }));
      } else if (wish.type === 'secret') {
        const secret = await parts.supply.secret(wish.id);
        if (secret === null && wish.required)
          throw new BuildError(`secret ${wish.id}: not found; build with --secret id=${wish.id},src=FILE`);
        if (secret === null) continue;
        if (wish.env !== null) env.push(`${wish.env}=${secret.toString()}`);
        if (target === null) continue;
        const file = join(parts.secretDirectory, `${i}`);
        writeFileSync(file, secret, { mode: wish.mode });
        chownSync(file, wish.uid, wish.gid);
        binds.push(bind(file, target, { readonly: true }));
      } else {
        const agent = await parts.supply.ssh(wish.id);
        if (agent === null && wish.required)
          throw new BuildError(`no SSH agent "${wish.id}" was offered; build with --ssh ${wish.id}`);
        if (agent === null) continue;
        stack.use(agent);
        chmodSync(agent.path, wish.mode);
        chownSync(agent.path, wish.uid, wish.gid);
        const place = target ?? `/run/buildkit/ssh_agent.${i}`;
        binds.push(bind(agent.path, place, { readonly: false }));
        env.push(`SSH_AUTH_SOCK=${place}`);
      }
    }
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return {
    binds,
    tmpfs,
    env,
    targets: [...binds.map(({ destination }) => destination), ...Object.keys(tmpfs)],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function bind(source: string, destination: string, { readonly }: { readonly readonly: boolean }): BindMount {
  return { source, destination, readonly, writableBelow: false, propagation: 'rprivate', recursive: false };
}

/** The real path of a place in a tree: its links are followed inside the tree. */
async function sourceOf(tree: MountTree, source: string, { trees }: MountParts): Promise<string> {
  const directory = tree.kind === 'directory' ? tree.directory : await trees.chain(tree.chainId);
  return pathIn(directory, source);
}

function pathIn(directory: string, source: string): string {
  using root = new ConfinedRoot(directory);
  const [selected] = select(root, source.replace(/[*?[]/g, '\\$&'));
  using found = selected!;
  const real = readlinkSync(`/proc/self/fd/${found.directory.fd}`);
  return found.name === null ? real : join(real, Buffer.from(found.name, 'latin1').toString());
}

/** What is written to it is seen by the step alone, and gone after it. */
async function writableSource(
  tree: MountTree,
  source: string,
  { trees, scratchDirectory }: MountParts,
  name: string,
  stack: AsyncDisposableStack,
): Promise<string> {
  const lower = tree.kind === 'directory' ? tree.directory : await trees.chain(tree.chainId);
  const scratch = join(scratchDirectory, name);
  for (const part of ['upper', 'work']) mkdirSync(join(scratch, part), { recursive: true });
  stack.defer(() => rmSync(scratch, { recursive: true, force: true }));
  const place = await trees.mount({
    type: 'overlay',
    source: 'overlay',
    options: [`lowerdir=${lower}`, 'upperdir=upper', 'workdir=work'],
    cwd: scratch,
  });
  return pathIn(place, source);
}

async function fill(
  directory: string,
  wish: Extract<RunMount, { type: 'cache' }>,
  parts: MountParts,
): Promise<void> {
  if (wish.from === null) return;
  const source = await sourceOf(await parts.treeOf(wish.from), wish.source, parts);
  await run('busybox', ['cp', '-a', `${source}/.`, directory]);
}
