import * as z from 'zod';
import { InvalidParameter } from '../../errors.ts';
import { seccompArches } from './seccomp-calls.ts';

/** What a profile's conditions are judged by. */
export interface SeccompSurroundings {
  readonly capabilities: readonly string[];
  /** As `uname -m` says it. */
  readonly machine: string;
  /** As `uname -r` says it. */
  readonly kernelRelease: string;
}

const condition = z
  .strictObject({
    caps: z.array(z.string()).nullish(),
    arches: z.array(z.string()).nullish(),
    minKernel: z
      .string()
      .regex(/^\d+\.\d+$/)
      .nullish(),
  })
  .nullish();
const call = z.strictObject({
  name: z.string().optional(),
  names: z.array(z.string()).nullish(),
  action: z.string(),
  errnoRet: z.number().int().nullish(),
  args: z
    .array(
      z.strictObject({
        index: z.number(),
        value: z.number(),
        valueTwo: z.number().optional(),
        op: z.string(),
      }),
    )
    .nullish(),
  comment: z.string().optional(),
  includes: condition,
  excludes: condition,
});
const profile = z.strictObject({
  defaultAction: z.string(),
  defaultErrnoRet: z.number().int().nullish(),
  architectures: z.array(z.string()).nullish(),
  archMap: z
    .array(z.strictObject({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() }))
    .nullish(),
  flags: z.array(z.string()).nullish(),
  syscalls: z.array(call).nullish(),
});
export type SeccompProfile = z.output<typeof profile>;
type Call = z.output<typeof call>;

/** Docker's word for an architecture, in a profile's conditions. */
const dockerArch: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

/** Throws InvalidParameter that says where the profile is wrong. */
export function parseSeccompProfile(text: string): SeccompProfile {
  const wrong = (why: string, cause?: unknown) =>
    new InvalidParameter(`Decoding seccomp profile failed: ${why}`, { cause });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong('not JSON', error);
  }
  const parsed = profile.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`${issue!.path.join('.') || 'document'}: ${issue!.message}`);
  }
  const { architectures, archMap, syscalls } = parsed.data;
  if (some(architectures) && some(archMap))
    throw wrong("use either 'architectures' or 'archMap', not both of them");
  if (syscalls?.some(({ name, names }) => name && some(names)))
    throw wrong("use either 'name' or 'names' of a system call, not both of them");
  return parsed.data;
}

/** Docker's format (conditions, architecture map) -> OCI `linux.seccomp`, which has neither. */
export function ociSeccomp(
  { defaultAction, defaultErrnoRet, architectures, archMap, flags, syscalls }: SeccompProfile,
  around: SeccompSurroundings,
): Readonly<Record<string, unknown>> {
  const native = seccompArches[around.machine]?.[0];
  const mapped = archMap?.find(({ architecture }) => architecture === native);
  return {
    defaultAction,
    ...(defaultErrnoRet == null ? {} : { defaultErrnoRet }),
    architectures: mapped ? [mapped.architecture, ...(mapped.subArchitectures ?? [])] : (architectures ?? []),
    ...(some(flags) ? { flags } : {}),
    syscalls: (syscalls ?? [])
      .filter((entry) => applies(entry, around))
      .map(({ name, names, action, errnoRet, args }) => ({
        names: name ? [name] : (names ?? []),
        action,
        ...(errnoRet == null ? {} : { errnoRet }),
        ...(args && args.length > 0 ? { args } : {}),
      })),
  };
}

/** Any exclusion keeps a rule away, every inclusion is needed (moby/profiles, seccomp_linux.go). */
function applies({ includes, excludes }: Call, around: SeccompSurroundings): boolean {
  const arch = dockerArch[around.machine] ?? around.machine;
  const held = (name: string) => around.capabilities.includes(name);
  if (excludes?.arches?.includes(arch) || excludes?.caps?.some(held)) return false;
  if (excludes?.minKernel && isAtLeast(around.kernelRelease, excludes.minKernel)) return false;
  if (includes?.arches && includes.arches.length > 0 && !includes.arches.includes(arch)) return false;
  if (includes?.minKernel && !isAtLeast(around.kernelRelease, includes.minKernel)) return false;
  return includes?.caps?.every(held) ?? true;
}

function isAtLeast(release: string, wanted: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function some(list: readonly unknown[] | null | undefined): boolean {
  return (list ?? []).length > 0;
}
