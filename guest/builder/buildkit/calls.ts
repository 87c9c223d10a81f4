import { hostPlatform } from '../../images/platform.ts';
import type { BuildRequest, DockerfileSource } from '../build.ts';
import type { ArgInstruction } from '../dockerfile/instruction.ts';
import { type Dockerfile, parseDockerfile } from '../dockerfile/stages.ts';
import { parseMountFlag } from '../exec/mount-flag.ts';
import type { LineRange } from '../line-range.ts';
import { planBuild } from '../solver/plan.ts';
import { GlobalArgs, platformArgs, StageScope } from '../solver/variables.ts';
import type { Built } from './built.ts';

/** What `docker buildx build --call=NAME` asks of a Dockerfile without building it, with its sentence. */
export const calls = {
  'frontend.outline': 'List all parameters current build target supports',
  'frontend.targets': 'List all targets current build supports',
  'frontend.lint': 'Lint a Dockerfile',
  'frontend.subrequests.describe': 'List available subrequest types',
} as const;

export type Call = keyof typeof calls;

export function isCall(name: string): name is Call {
  return Object.hasOwn(calls, name);
}

/** Of all of them (buildkit, frontend/subrequests). */
const version = '1.0.0';

/** Answers a call: a JSON document, and the same for people. Throws BuildError for a Dockerfile that is wrong. */
export function answerCall(call: Exclude<Call, 'frontend.lint'>, request: BuildRequest): Built {
  const { document, table } =
    call === 'frontend.subrequests.describe'
      ? describe()
      : call === 'frontend.targets'
        ? targets(request.dockerfile)
        : outline(request);
  const metadata = new Map([
    ['result.json', Buffer.from(JSON.stringify(document, null, 2))],
    ['result.txt', Buffer.from(table)],
    ['version', Buffer.from(version)],
  ]);
  return { results: [], isIndex: false, metadata };
}

interface Answer {
  readonly document: unknown;
  readonly table: string;
}

function describe(): Answer {
  const known = Object.entries(calls).map(([name, description]) => ({
    ...{ name, version, type: 'rpc', description, opts: [], inputs: null, refs: null },
    metadata: ['result.json', 'result.txt', ...(name === 'frontend.lint' ? ['result.statuscode'] : [])].map(
      (name) => ({ name, description: '' }),
    ),
  }));
  const rows = known.map(({ name, description }) => [name.replace(/^frontend\./, ''), version, description]);
  return { document: known, table: tableOf([['NAME', 'VERSION', 'DESCRIPTION'], ...rows]) };
}

function targets(source: DockerfileSource): Answer {
  const { stages } = parseDockerfile(source.text);
  const found = stages.map(({ from, index }) => ({
    ...(from.name !== null && { name: from.name }),
    ...(index === stages.length - 1 && { default: true }),
    base: from.base,
    ...(from.platform !== null && { platform: from.platform }),
    location: location(from.range),
  }));
  const rows = found.map(({ name = '', default: last }) => [
    [name, last && '(default)'].filter(Boolean).join(' '),
    '',
  ]);
  return {
    document: { targets: found, sources: [base64(source)] },
    table: tableOf([['TARGET', 'DESCRIPTION'], ...rows]),
  };
}

/** Arguments, secrets and ssh agents of the stages that the target needs. */
function outline(request: BuildRequest): Answer {
  const dockerfile = parseDockerfile(request.dockerfile.text);
  const platform = request.platform ?? hostPlatform;
  const mark = dockerfile.directives.escape;
  const globals = new GlobalArgs(dockerfile.globalArgs, {
    given: request.buildArgs,
    platform: platformArgs(platform, request.target ?? 'default'),
    mark,
  });
  const plan = planBuild(dockerfile, request, { globals, platform });
  const args = new Map<string, object>();
  const mounts = { secret: new Map<string, object>(), ssh: new Map<string, object>() };
  const scopes = new Map<number, StageScope>();
  const usedBefore = globalsUsed(dockerfile, plan.needed);
  for (const arg of dockerfile.globalArgs)
    for (const { name } of arg.args)
      if (usedBefore.has(name)) args.set(name, argument(name, globals.lookup(name), arg.range));
  for (const index of plan.needed) {
    const { base } = plan.stages[index]!;
    const below = base.kind === 'stage' ? scopes.get(base.index) : undefined;
    const scope = new StageScope(globals, { mark, env: [], ...(below && { args: below.args }) });
    scopes.set(index, scope);
    for (const instruction of dockerfile.stages[index]!.instructions) {
      if (instruction.kind === 'arg') {
        for (const [name, value] of scope.declare(instruction))
          if (!args.has(name)) args.set(name, argument(name, value, instruction.range));
      } else if (instruction.kind === 'run')
        for (const mount of instruction.mounts.flatMap(parsed))
          if (mount.type === 'secret' || mount.type === 'ssh')
            mounts[mount.type].set(mount.id, {
              name: mount.id,
              ...(mount.required && { required: true }),
              location: location(instruction.range),
            });
    }
  }
  const { name } = dockerfile.stages[plan.target]!.from;
  const [secrets, ssh] = [[...mounts.secret.values()], [...mounts.ssh.values()]];
  const document = {
    ...(name !== null && { name }),
    ...(args.size > 0 && { args: [...args.values()] }),
    ...(secrets.length > 0 && { secrets }),
    ...(ssh.length > 0 && { ssh }),
    sources: [base64(request.dockerfile)],
  };
  const rows = (found: readonly object[], key: string) =>
    found.map((one) => [String(Reflect.get(one, 'name')), String(Reflect.get(one, key) ?? '')]);
  const tables = [
    args.size > 0 && [['BUILD ARG', 'VALUE'], ...rows([...args.values()], 'value')],
    secrets.length > 0 && [['SECRET', 'REQUIRED'], ...rows(secrets, 'required')],
    ssh.length > 0 && [['SSH', 'REQUIRED'], ...rows(ssh, 'required')],
  ].filter((table) => table !== false);
  return { document, table: tables.map(tableOf).join('\n') };
}

/** ARGs before the first FROM that lines of these stages have need of. */
function globalsUsed({ stages }: Dockerfile, needed: readonly number[]): ReadonlySet<string> {
  const declared = (arg: ArgInstruction) =>
    arg.args.filter(({ value }) => value === null).map(({ name }) => name);
  return new Set(
    needed.flatMap((index) => {
      const { from, instructions } = stages[index]!;
      const words = `${from.base} ${from.platform ?? ''}`;
      return [
        ...[...words.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name]) => name!),
        ...instructions.flatMap((instruction) => (instruction.kind === 'arg' ? declared(instruction) : [])),
      ];
    }),
  );
}

/** What is wrong with a mount is told when it is built. */
function parsed(flag: string): ReturnType<typeof parseMountFlag>[] {
  try {
    return [parseMountFlag(flag)];
  } catch {
    return [];
  }
}

function argument(name: string, value: string | undefined, range: LineRange): object {
  return { name, ...(value !== undefined && { value }), location: location(range) };
}

function location({ first, last }: LineRange) {
  return { ranges: [{ start: { line: first }, end: { line: last } }] };
}

function base64({ text }: DockerfileSource): string {
  return Buffer.from(text).toString('base64');
}

/** Columns as wide as they need, three spaces apart. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(column === row.length - 1 ? 0 : widths[column]! + 3)).join('');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}
