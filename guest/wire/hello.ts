/**
 * The agent's channel to the host: a virtio-serial port, one JSON object a line each way.
 * The host never polls for readiness; it waits for `hello`.
 */
export const agentPort = 'machine.agent.0';

/** Another such port, for directories of the host: SFTP, with the host as the server (provisioning/directories). */
export const filesPort = 'machine.files.0';

/** Guest to host. Sent once the API answers, and again each time a host (re)connects and sends `who`. */
export interface Hello {
  readonly type: 'hello';
  readonly version: 1;
  readonly agentVersion: string;
  readonly apiVersion: string;
  readonly state: 'ready';
  /** Milliseconds from the kernel's start to this line. */
  readonly uptimeMs: number;
}

/** Guest to host: the agent cannot serve and says why; the host shows `message` and the console's tail. */
export interface AgentFailure {
  readonly type: 'failure';
  readonly version: 1;
  readonly message: string;
  /** Said by the boot scripts, which end the machine after it; an agent that cannot serve leaves it on. */
  readonly poweringOff?: true;
}

/** Guest to host: the answer to a `clock` that differs from the guest's own by more than a few hundredths of a second. */
export interface ClockReading {
  readonly type: 'clock';
  readonly version: 1;
  /** As the host had said it. */
  readonly epochMs: number;
  /** What the guest's clock showed when it heard that. */
  readonly guestMs: number;
}

/** Guest to host: the answer to `activity`. */
export interface ActivityReading {
  readonly type: 'activity';
  readonly version: 1;
  /** How long nothing has run in the guest, and nobody has been connected to it; 0 = something, or somebody, is. */
  readonly idleMs: number;
}

export type FromAgent = Hello | AgentFailure | ClockReading | ActivityReading;

/** Host to guest: the host's time. The guest compares it, unless it is told to do something about its clock. */
export interface ClockPush {
  readonly type: 'clock';
  readonly epochMs: number;
  /** Set it to `epochMs`, which is wrong by as much as this word is late. */
  readonly set?: true;
  /** Put it on by so much, or back. */
  readonly shiftMs?: number;
}

/** Host to guest: is anybody there? With `rest`, memory that only saves time later is given up. */
export interface ActivityQuestion {
  readonly type: 'activity';
  readonly rest?: true;
}

/** Host to guest. `who` asks for a fresh `hello`. */
export type ToAgent = { readonly type: 'who' } | ClockPush | ActivityQuestion;
