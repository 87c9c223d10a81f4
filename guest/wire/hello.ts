/**
 * The agent's channel to the host: a virtio-serial port, one JSON object a line each way.
 * The host never polls for readiness; it waits for `hello`.
 */
export const agentPort = 'machine.agent.0';

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

export type FromAgent = Hello | AgentFailure;

/** Host to guest. `clock` sets the guest's time; `who` asks for a fresh `hello`. */
export type ToAgent = { readonly type: 'who' } | { readonly type: 'clock'; readonly epochMs: number };
