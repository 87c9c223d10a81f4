import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { BuildRequest, BuildResult } from '../build.ts';
import type { Built } from './built.ts';
import { codes, GrpcError } from './grpc/status.ts';
import { Progress } from './progress.ts';

interface Settle {
  resolve(built: Built | null): void;
  reject(error: GrpcError): void;
}

/**
 * A build from its Control.Solve call to that call's end. With buildx the front end's work is asked for by other
 * calls (LLBBridge.Solve) that name this build; LLBBridge.Return says which of the results is exported.
 */
export class RunningBuild {
  readonly ref: string;
  readonly sessionId: string;
  readonly progress = new Progress();
  /** Aborted when the client cancels. */
  readonly signal: AbortSignal;
  /** What the client returned: results, or null for none. */
  readonly returned: Promise<Built | null>;
  readonly #settle: Settle;
  readonly #results = new Map<string, BuildResult>();
  /** The last failure of a front end's call, with the details that a client may not send back. */
  failure: GrpcError | null = null;

  /** What a front end's call has asked for, when the build itself came without. */
  asked: { readonly frontend: string; readonly frontendAttrs: Map<string, string> } | null = null;

  /** What `RUN` may have: `--allow`. */
  readonly entitlements: BuildRequest['entitlements'];

  /** Why what is to become of the result cannot be done with several platforms; undefined when it can. */
  readonly refusesIndex: string | undefined;

  /** @param signal aborted when the client cancels */
  constructor(
    from: Pick<RunningBuild, 'ref' | 'sessionId' | 'entitlements' | 'refusesIndex'>,
    signal: AbortSignal,
  ) {
    this.ref = from.ref;
    this.sessionId = from.sessionId;
    this.entitlements = from.entitlements;
    this.refusesIndex = from.refusesIndex;
    this.signal = signal;
    let settle: Settle | undefined;
    this.returned = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settle = settle!;
    // Nobody may be waiting any more.
    this.returned.catch(() => {});
  }

  /** The client's last word on its front end's work. */
  return(outcome: Built | GrpcError | null): void {
    if (outcome instanceof GrpcError) this.#settle.reject(outcome);
    else this.#settle.resolve(outcome);
  }

  /** Keeps a result for the rest of the build. Returns its id. */
  keep(result: BuildResult): string {
    const id = randomBytes(12).toString('hex');
    this.#results.set(id, result);
    return id;
  }

  /** Of several, in the order in which they were made: clients send them back in any. */
  results(ids: readonly string[]): BuildResult[] {
    const inOrder = [...this.#results.keys()];
    return [...ids].sort((a, b) => inOrder.indexOf(a) - inOrder.indexOf(b)).map((id) => this.result(id));
  }

  result(id: string): BuildResult {
    const result = this.#results.get(id);
    if (!result) throw new GrpcError(codes.notFound, `no result ${id} in build ${this.ref}`);
    return result;
  }

  end(): void {
    this.progress.end();
    for (const result of this.#results.values()) result[Symbol.dispose]();
  }
}

/** A client may ask for a build a little before it has begun, and after it has ended or was refused. */
const waitMs = 5000;

/** Builds by their reference, which is the client's. */
export class RunningBuilds {
  readonly #builds = new Map<string, RunningBuild>();
  readonly #refusals = new Map<string, GrpcError>();
  readonly #arrivals = new EventTarget();

  add(build: RunningBuild): void {
    if (this.#builds.has(build.ref))
      throw new GrpcError(codes.invalidArgument, `there is a build ${build.ref} already`);
    this.#refusals.delete(build.ref);
    this.#builds.set(build.ref, build);
    this.#arrivals.dispatchEvent(new Event(build.ref));
  }

  has(ref: string): boolean {
    return this.#builds.has(ref);
  }

  /** It will not begin: nobody waits for it. */
  refuse(ref: string, why: GrpcError): void {
    this.#refusals.set(ref, why);
    this.#arrivals.dispatchEvent(new Event(ref));
    void setTimeout(waitMs, undefined, { ref: false }).then(() => {
      if (this.#refusals.get(ref) === why) this.#refusals.delete(ref);
    });
  }

  isRefused(ref: string): boolean {
    return this.#refusals.has(ref);
  }

  /** It has ended, and can be asked about for a while. */
  async retire(build: RunningBuild): Promise<void> {
    await setTimeout(waitMs, undefined, { ref: false });
    this.#builds.delete(build.ref);
  }

  /** Waits a little for it to begin. Throws GrpcError: why it was refused, if it was. */
  async get(ref: string, signal: AbortSignal): Promise<RunningBuild> {
    const done = new AbortController();
    if (!this.#builds.has(ref) && !this.#refusals.has(ref)) {
      const either = AbortSignal.any([signal, done.signal]);
      const arrived = new Promise<void>((resolve) =>
        this.#arrivals.addEventListener(ref, () => resolve(), { once: true, signal: either }),
      );
      await Promise.race([arrived, setTimeout(waitMs, undefined, { signal: either }).catch(() => {})]);
      done.abort();
      signal.throwIfAborted();
    }
    const build = this.#builds.get(ref);
    if (!build) throw this.#refusals.get(ref) ?? new GrpcError(codes.notFound, `no such job ${ref}`);
    return build;
  }
}
