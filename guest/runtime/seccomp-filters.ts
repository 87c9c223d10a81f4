import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RuntimeSpec } from './runtime-spec.ts';

/** crun(1): the filter itself, in place of the rules. */
const annotation = 'run.oci.seccomp_bpf_data';
/** Most containers have the same rules. */
const remembered = 16;

/**
 * Filters that crun has made of seccomp rules, for the next containers with the same rules: making one takes
 * libseccomp 4 ms and a megabyte, which crun keeps for as long as the container lives.
 */
export class SeccompFilters {
  readonly #byRules = new Map<string, string>();

  /** The specification with the filter in place of the rules, if it is known. */
  replace(spec: RuntimeSpec): RuntimeSpec {
    const { seccomp } = spec.linux;
    const filter = seccomp && this.#byRules.get(keyOf(seccomp));
    if (!filter) return spec;
    return {
      ...spec,
      annotations: { ...spec.annotations, [annotation]: filter },
      // Were the filter not heeded, everything would be refused.
      linux: { ...spec.linux, seccomp: { ...seccomp, defaultAction: 'SCMP_ACT_ERRNO', syscalls: [] } },
    };
  }

  /** After the start: `file` is what crun has made of its rules. */
  learn({ linux: { seccomp } }: RuntimeSpec, file: string): void {
    if (!seccomp) return;
    const key = keyOf(seccomp);
    if (this.#byRules.has(key) || this.#byRules.size >= remembered) return;
    try {
      this.#byRules.set(key, readFileSync(file).toString('base64'));
    } catch (error) {
      // The container has ended already, and crun has removed its state.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

function keyOf(seccomp: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(JSON.stringify(seccomp)).digest('hex');
}
