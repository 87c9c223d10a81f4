import { readFileSync } from 'node:fs';

/** A mount as the kernel lists it. */
export interface ListedMount {
  readonly point: string;
  /** Mounts below it are seen by its peers in other mount namespaces, and theirs here. */
  readonly shared: boolean;
  /** It sees what is mounted below the one that it was made from. */
  readonly slave: boolean;
}

/** `/proc/PID/mountinfo` (proc(5)), in its order: of two at one place the second covers the first. */
export function parseMountTable(text: string): ListedMount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, , , , point = '', , ...rest] = line.split(' ');
      const optional = rest.slice(0, rest.indexOf('-'));
      return {
        // White space and backslash are octal there.
        point: point.replace(/\\([0-7]{3})/g, (_, code: string) =>
          String.fromCharCode(Number.parseInt(code, 8)),
        ),
        shared: optional.some((word) => word.startsWith('shared:')),
        slave: optional.some((word) => word.startsWith('master:')),
      };
    });
}

/** Of the engine's own mount namespace. */
export function mountTable(): ListedMount[] {
  return parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** The one that a path, absolute and without links, is on. */
export function mountOf(path: string, table: readonly ListedMount[]): ListedMount | undefined {
  const above = (point: string) => point === '/' || path === point || path.startsWith(`${point}/`);
  return table
    .filter(({ point }) => above(point))
    .reduce<ListedMount | undefined>(
      (best, mount) => (best && best.point.length > mount.point.length ? best : mount),
      undefined,
    );
}
