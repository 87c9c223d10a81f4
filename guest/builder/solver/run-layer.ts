import { createHash } from 'node:crypto';
import { join, posix } from 'node:path';
import { explainForeign, lacksEmulator } from '../../containers/foreign-program.ts';
import { digestOf } from '../../digest.ts';
import { messageOf } from '../../error-message.ts';
import { newId } from '../../ids.ts';
import { ConfinedRoot } from '../../layers/confined-root.ts';
import type { Layer } from '../../layers/snapshotter.ts';
import type { TarEntry } from '../../layers/tar-entry.ts';
import type { OpenContext } from '../build.ts';
import { BuildError, RunFailed } from '../build-error.ts';
import { heredocText, parseHeredoc } from '../dockerfile/heredoc.ts';
import { ignoreNothing } from '../dockerfile/ignore.ts';
import type { RunInstruction } from '../dockerfile/instruction.ts';
import { parseMountFlag, type RunMount } from '../exec/mount-flag.ts';
import { runContainer } from '../exec/run-container.ts';
import { type MountTree, openMounts, type StepMounts, scriptPath } from '../exec/step-mounts.ts';
import { findStubs, isUnchanged, removeStubs } from '../exec/stubs.ts';
import { contentKey, type Placed, place } from '../files/layer-entries.ts';
import { contextMembers, type Member, treeMembers } from '../files/members.ts';
import { select } from '../files/select.ts';
import { defaultShell } from './config-step.ts';
import { failedStart } from './failed-start.ts';
import { layerOf } from './layer-of.ts';
import { sourceOf } from './plan.ts';
import { type LayerWish, type StepContext, workingDirectory } from './step-context.ts';

const hostname = 'buildkitsandbox';

/** RUN: a program on the stage's files; what it changes is the layer. */
export async function runLayer(instruction: RunInstruction, context: StepContext): Promise<LayerWish> {
  const { build, draft, scope, stage } = context;
  const { request } = build;
  const mounts = instruction.mounts.map((flag) => mountOf(flag, instruction, context));
  const { args, script, shown } = commandOf(instruction, draft.config.Shell ?? defaultShell);
  const { env, args: declared, proxies } = scope.environment();
  const network = instruction.network ?? request.network;
  const insecure = instruction.security === 'insecure';
  checkEntitlements({ network: instruction.network, insecure }, request.entitlements);
  const cwd = workingDirectory(draft);
  const user = draft.config.User ?? '';
  const count = declared.length > 0 ? `|${declared.length} ${declared.join(' ')} ` : '';
  const keyBy = async (mountKey: (mount: RunMount, context: StepContext) => Promise<unknown>) =>
    digestOf(
      JSON.stringify([
        'run',
        draft.chainId,
        stage.platform,
        args,
        script,
        env,
        declared,
        cwd,
        user,
        network === 'default' ? '' : network,
        insecure,
        await Promise.all(mounts.map((mount) => mountKey(mount, context))),
        build.epoch,
      ]),
    );
  return {
    // What is in a chain needs not be read again to be known.
    ...(mounts.some(isPartOfTree) && { alias: await keyBy(chainKey) }),
    key: () => keyBy(mountKey),
    createdBy: `RUN ${count}${shown} # buildkit`,
    make: () =>
      make(instruction, context, {
        args,
        script,
        mounts,
        env: [...declared, ...proxies, ...env],
        cwd,
        user,
        network,
        insecure,
      }),
  };
}

interface Program {
  readonly args: readonly string[];
  readonly script: Buffer | null;
  readonly mounts: readonly RunMount[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly network: string;
  readonly insecure: boolean;
}

async function make(
  instruction: RunInstruction,
  context: StepContext,
  program: Program,
): Promise<Layer | null> {
  const { build, draft, stage, vertex } = context;
  const { deps, request, supply } = build;
  const id = newId();
  const key = `build-${id}`;
  await deps.snapshotter.prepare(key, draft.chainId);
  try {
    const lower = build.lower(draft.chainId);
    await using mounts = await openStepMounts(program, context, id);
    const stubs = findStubs(lower, mounts.targets);
    context.onContainer(id);
    await using run = await runContainer(
      {
        id: key,
        args: program.args,
        env: [...program.env, ...mounts.env],
        cwd: program.cwd,
        user: program.user,
        hostname: request.hostname ?? hostname,
        network: program.network,
        insecure: program.insecure,
        cgroupParent: request.cgroupParent ?? '',
        extraHosts: request.extraHosts,
        shmBytes: request.shmBytes,
        ulimits: request.ulimits,
        limits: request.limits,
        binds: mounts.binds,
        tmpfs: mounts.tmpfs,
        signal: supply.signal,
        doubtful: lacksEmulator(stage.platform),
        onOutput: (stream, data) => vertex.log(stream, data),
      },
      deps,
    ).catch((error: unknown) => {
      throw failedStart(explainForeign(error, { platform: stage.platform, host: deps.host }), {
        isClassic: build.isClassic,
        args: program.args,
        range: instruction.range,
      });
    });
    if (run.exitCode !== 0) throw new RunFailed(program.args, run.exitCode, instruction.range);
    removeStubs(deps.snapshotter.upper(key), stubs);
    const latestNs = build.epoch ? BigInt(build.epoch.getTime()) * 1_000_000n : null;
    const adjust = (entry: TarEntry, { opaque }: { readonly opaque: boolean }) => {
      if (!opaque && isUnchanged(entry, lower, stubs.touched)) return null;
      return latestNs !== null && entry.mtimeNs > latestNs ? { ...entry, mtimeNs: latestNs } : entry;
    };
    return await layerOf(deps.snapshotter.diff(key, adjust), draft.chainId, build);
  } finally {
    build.finishLater(deps.snapshotter.remove(key));
  }
}

/** The mounts, and the script of a heredoc that has its own interpreter. */
function openStepMounts(program: Program, context: StepContext, id: string): Promise<StepMounts> {
  const { build } = context;
  return openMounts(program.mounts, program.cwd, {
    trees: build.trees,
    mounts: build.deps.mounts,
    supply: build.supply,
    secretDirectory: join(build.deps.paths.buildRuns, build.id, id),
    scratchDirectory: join(build.directory, id),
    script: program.script,
    treeOf: (from) => treeOf(from, context),
  });
}

/** The files that `from` of a mount names. */
export async function treeOf(from: string | null, context: StepContext): Promise<MountTree> {
  const { build, stage } = context;
  if (from === null) return shownContext(await build.context(null));
  const before = build.dockerfile.stages.slice(0, stage.stage.index);
  const source = sourceOf(from, before, build.request, { platform: stage.platform, numbers: true });
  if (source.kind === 'stage')
    return { kind: 'chain', chainId: (await context.stageResult(source.index)).chainId };
  if (source.kind === 'context') return shownContext(await build.context(source.name));
  if (source.kind === 'scratch') return { kind: 'chain', chainId: null };
  try {
    return { kind: 'chain', chainId: (await build.image(source, stage.platform)).chainId };
  } catch (error) {
    if (!build.isClassic || build.supply.signal.aborted) throw error;
    throw new BuildError(`invalid from flag value ${from}: ${messageOf(error)}`, { cause: error });
  }
}

function shownContext(opened: OpenContext): MountTree {
  return { kind: 'directory', directory: opened.directory, hashOf: (path) => opened.hashOf?.(path) };
}

/** What a mount has to do with whether a step is the same: contents, but nothing of caches and secrets. */
async function mountKey(mount: RunMount, context: StepContext): Promise<unknown> {
  if (mount.type !== 'bind') return mount;
  const tree = await treeOf(mount.from, context);
  if (tree.kind === 'chain' && !isPartOfTree(mount)) return [mount, tree.chainId];
  const directory = tree.kind === 'chain' ? await context.build.trees.chain(tree.chainId) : tree.directory;
  using root = new ConfinedRoot(directory);
  const hash = createHash('sha256');
  for (const one of select(root, mount.source.replace(/[*?[]/g, '\\$&'))) {
    using selected = one;
    const members =
      tree.kind === 'chain'
        ? treeMembers(selected, ignoreNothing)
        : contextMembers(selected, ignoreNothing, (path) => tree.hashOf?.(path));
    hash.update(await contentKey(asTheyAre(members)));
  }
  return [mount, hash.digest('hex')];
}

async function* asTheyAre(members: Iterable<Member> | AsyncIterable<Member>): AsyncGenerator<Placed> {
  for await (const member of members) yield place(member, '', { owner: null, mode: null, latestNs: null });
}

/** The same by what is mounted as a whole: it may differ where what is read does not. */
async function chainKey(mount: RunMount, context: StepContext): Promise<unknown> {
  if (mount.type !== 'bind') return mount;
  const tree = await treeOf(mount.from, context);
  return tree.kind === 'chain' ? [mount, tree.chainId] : mountKey(mount, context);
}

/** A stage or an image as a whole is known by its chain; it would be much to read. */
function isPartOfTree(mount: RunMount): boolean {
  return mount.type === 'bind' && mount.from !== null && posix.resolve('/', mount.source) !== '/';
}

function mountOf(flag: string, instruction: RunInstruction, { scope }: StepContext): RunMount {
  if (/(?:^|,)\s*from=[^,]*\$/i.test(flag))
    throw new BuildError("'from' doesn't support variable expansion, define alias stage instead", {
      range: instruction.range,
    });
  const expanded = scope.expand(flag, instruction.range, { raw: true });
  try {
    return parseMountFlag(expanded);
  } catch (error) {
    throw new BuildError((error as Error).message, { cause: error, range: instruction.range });
  }
}

function checkEntitlements(
  { network, insecure }: { readonly network: string | null; readonly insecure: boolean },
  granted: ReadonlySet<string>,
): void {
  const check = (wanted: boolean, name: string) => {
    if (wanted && !granted.has(name))
      throw new BuildError(`granting entitlement ${name} is not allowed; build with --allow ${name}`);
  };
  check(network === 'host', 'network.host');
  check(insecure, 'security.insecure');
}

/** The program with its arguments, a script that has to be there, and what the history shows. */
function commandOf(
  { command, heredocs }: RunInstruction,
  shell: readonly string[],
): { readonly args: readonly string[]; readonly script: Buffer | null; readonly shown: string } {
  if (!command.shell) return { args: command.words, script: null, shown: command.words.join(' ') };
  const [text = ''] = command.words;
  const [first] = heredocs;
  if (first && parseHeredoc(text)) {
    const content = heredocText(first);
    if (content.startsWith('#!')) {
      return { args: [scriptPath], script: Buffer.from(content), shown: `${shell.join(' ')} ${text}` };
    }
    return { args: [...shell, content], script: null, shown: `${shell.join(' ')} ${content}` };
  }
  // The shell reads the documents itself.
  const whole = [text, ...heredocs.map(({ raw, name }) => `${raw}${name}`)].join('\n');
  return { args: [...shell, whole], script: null, shown: `${shell.join(' ')} ${whole}` };
}
