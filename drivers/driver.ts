import type { AgentFailure, FromAgent, Hello, ToAgent } from '../guest/wire/index.ts';

/**
 * Where machines come from. A driver makes, starts, stops and destroys hosts; it knows nothing of engines,
 * certificates or the store. What a driver can do is data ({@link DriverFeatures}), so callers branch on a
 * feature and never on a driver's name. Optional abilities are optional members.
 *
 * `State` is what the driver must remember of one machine (JSON, kept in the machine's record by the
 * caller). Paths in it are relative to the machine's directory.
 */
export interface Driver<State = unknown> {
  readonly name: string;
  readonly features: DriverFeatures;
  /** Flags of `machine create --driver <name>`, in docker-machine's `--<driver>-…` form. */
  readonly options: readonly DriverOption[];

  /**
   * Checks everything that can be checked before anything is made; makes nothing. Throws PreCreateError
   * (exit code 3) saying what is missing and what to type.
   */
  preCreate(request: CreateRequest): Promise<void>;
  /**
   * Makes the machine, not started. `record` is awaited before and after each outside effect with the
   * state that is needed to undo it. Safe to call `remove` with whatever was last recorded.
   */
  create(request: CreateRequest, record: (state: State) => Promise<void>): Promise<State>;
  /**
   * Does ahead what the first start of a machine with these options would do once for all later ones. Throws
   * PreCreateError where no machine could be made.
   */
  prepare?(request: PrepareRequest, options: WaitOptions): Promise<void>;
  /** Starts and resolves when power is on; readiness is {@link DriverFeatures.hello}'s business. Idempotent. */
  start(machine: MachineHandle<State>, boot: BootRequest, options: WaitOptions): Promise<State>;
  /** Asks for a clean shutdown and waits until `signal` aborts; then throws Timeout. Idempotent. */
  stop(machine: MachineHandle<State>, options: WaitOptions): Promise<void>;
  /** Power off, now. Idempotent. */
  kill(machine: MachineHandle<State>): Promise<void>;
  /** Removes everything the driver made outside and inside the machine's directory. Idempotent: removing nothing succeeds. */
  remove(machine: MachineHandle<State>): Promise<void>;
  /** Derived from live processes or the cloud, never from a stored word. */
  status(machine: MachineHandle<State>): Promise<DriverStatus>;
  /** How to reach a running machine from this computer. Throws FailedPrecondition when it is not running. */
  endpoints(machine: MachineHandle<State>): Promise<Endpoints>;

  /**
   * Resolves with the agent's first line (hello or failure); throws WentOff when the power goes off before.
   * Null-ability drivers have no such channel. For who starts the machine: afterwards the agent's port is its supervisor's.
   */
  awaitHello?(machine: MachineHandle<State>, options: WaitOptions): Promise<Hello | AgentFailure>;
  /**
   * Resolves when the machine's power is off, at once when it is so already; throws the reason of `signal`. An event,
   * so that waiting costs nothing. Machines of drivers that have this get a supervisor (provisioning/supervisor),
   * and only that calls it.
   */
  whenOff?(machine: MachineHandle<State>, options: WaitOptions): Promise<void>;
  /**
   * Makes ports of this computer lead to a running machine. One caller at a time: the machine's supervisor. Throws
   * Unavailable when the machine does not run.
   */
  forward?(
    machine: MachineHandle<State>,
    options: WaitOptions,
  ): Promise<import('./port-forwarder.ts').PortForwarder>;
  /** Who has it not cannot suspend machines. Only the machine's supervisor has one. Throws Unavailable. */
  suspender?(
    machine: MachineHandle<State>,
    options: WaitOptions,
  ): Promise<import('./suspender.ts').Suspender>;
  /** The agent's port: only the machine's supervisor opens it, as often as it likes. Throws when it cannot. */
  connectAgent?(machine: MachineHandle<State>, options: WaitOptions): Promise<AgentConnection>;
  /**
   * A stream of bytes to a program of the guest's, without a beginning: `files` leads to who wants directories of
   * this computer, and speaks SFTP. Ends when the power goes off. One at a time: a second one waits. Who has it not
   * cannot share directories.
   */
  openStream?(
    machine: MachineHandle<State>,
    name: 'files',
    options: WaitOptions,
  ): Promise<import('node:stream').Duplex>;
  /**
   * Checks that a machine can have these directories of this computer by itself ({@link BootRequest.shares}) rather than by
   * `openStream`. Throws FailedPrecondition saying what to type. Who has it not cannot.
   */
  checkShares?(shares: readonly HostShare[]): Promise<void>;
  /** The last bytes of the machine's console, for error messages and `machine logs`. */
  consoleTail?(machine: MachineHandle<State>, lines: number): Promise<string>;
}

/** Disposing of it closes it. */
export interface AgentConnection extends AsyncDisposable {
  /** What is said while the agent does not listen is kept for it, so it may be heard late. */
  send(message: ToAgent): void;
  /** What the agent says from now on, until the connection has ended, or `signal` aborts: then it throws its reason. */
  words(signal: AbortSignal): AsyncIterable<FromAgent>;
}

export interface DriverFeatures {
  /** The driver makes and powers hosts; false for `none`, which only remembers a URL. */
  readonly power: boolean;
  /** The host boots an OS image of ours and takes its boot config at power-on. */
  readonly bootsOsImage: boolean;
  /** The agent announces itself (`awaitHello`). */
  readonly hello: boolean;
  /** The host has an SSH server for `machine ssh`. */
  readonly ssh: boolean;
  /** Runs on this computer. */
  readonly local: boolean;
}

export interface DriverOption {
  /** Without dashes, such as `qemu-memory`. */
  readonly flag: string;
  /** Placeholder of the value; absent for a boolean flag. */
  readonly value?: string;
  readonly description: string;
  readonly default?: string;
  /** Environment variable that gives the default. */
  readonly env?: string;
}

export interface CreateRequest {
  readonly name: string;
  /** The machine's own directory; exists. */
  readonly directory: string;
  /** Values by flag name; defaults filled in. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[]>>;
  readonly osImage: OsImageFiles | null;
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string) => void;
}

export interface PrepareRequest {
  readonly osImage: OsImageFiles;
  readonly options: CreateRequest['options'];
}

/** The files a local VM boots; all read-only and shared by every machine. */
export interface OsImageFiles {
  readonly arch: 'amd64' | 'arm64';
  readonly kernel: string;
  /** The same kernel in the form that it unpacks itself to, for slow processors; null where there is none. */
  readonly unpackedKernel: string | null;
  readonly initramfs: string;
  /** EROFS root with Debian's packages and Node. */
  readonly root: string;
  /** EROFS with the agent's bundle and the first container images. */
  readonly agent: string;
  /** What the kernel must be told besides the driver's own words. */
  readonly commandLine: string;
}

export interface MachineHandle<State> {
  readonly name: string;
  readonly directory: string;
  readonly state: State;
}

export interface BootRequest {
  readonly osImage: OsImageFiles | null;
  /** JSON of BootConfig (guest/wire); holds secrets: never in arguments, files 0600. */
  readonly bootConfig: string;
  /** Directories of this computer that the guest finds as virtiofs, by their numbers (guest/wire, `shareTag`). */
  readonly shares?: readonly HostShare[];
  /** The last start failed: nothing that was prepared for a faster one is used. */
  readonly afresh?: boolean;
}

export interface HostShare {
  /** Absolute; no symbolic link. */
  readonly directory: string;
  readonly readonly: boolean;
}

export interface WaitOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (message: string) => void;
  /** What is to be known when all is done, too. */
  readonly onNote?: (message: string) => void;
}

export type DriverStatus =
  | { readonly status: 'running'; readonly pid?: number }
  | { readonly status: 'paused'; readonly pid?: number }
  | { readonly status: 'stopped' }
  /** Something is wrong with what is there; `errors` says what. `remove` still works. */
  | { readonly status: 'broken'; readonly errors: readonly string[] };

export interface Endpoints {
  /** `tcp://127.0.0.1:PORT`, as DOCKER_HOST. */
  readonly url: string;
  /** Host name or address that certificates are verified against. */
  readonly ip: string;
  readonly ssh?: { readonly host: string; readonly port: number; readonly user: string };
}
