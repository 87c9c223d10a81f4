import type { BuildRequest } from '../build.ts';
import type { Dockerfile } from '../dockerfile/stages.ts';

const known =
  /^(?:(?:HTTP|HTTPS|FTP|NO|ALL)_PROXY|(?:http|https|ftp|no|all)_proxy|BUILDKIT_.*|SOURCE_DATE_EPOCH|(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH|VARIANT))$/;

/** `--build-arg` that no ARG asks for, in order of the alphabet. */
export function unusedArgs({ globalArgs, stages }: Dockerfile, given: BuildRequest['buildArgs']): string[] {
  const declared = new Set(
    [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)].flatMap((instruction) =>
      instruction.kind === 'arg' ? instruction.args.map(({ name }) => name) : [],
    ),
  );
  return Object.keys(given)
    .filter((name) => !declared.has(name) && !known.test(name))
    .sort();
}
