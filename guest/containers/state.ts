import { Conflict, type EngineError, NotModified } from '../errors.ts';

/**
 * The life of a container. Only its actor (container.ts) makes transitions; all queries read the result.
 *
 *            start                     exit                    start
 *   created ───────> running ───────────────────> exited ─────────────> running
 *      ▲  │          │  ▲  │  exit, and a restart     ▲
 *      └──┘    pause │  │  │  policy says so          │ policy ends, or stop
 *   start      ▼  │ unpause└────────> restarting ─────┤
 *   failed      paused                  │  ▲          │
 *   (code,        │  exit               └──┘          │
 *   message) └────┘─────────────────────────────────> exited
 *
 * `removing` is no state of the record but a flag of the actor: a removal cut short by a crash leaves a
 * container as it was. A start that fails leaves the state it began from, with the code and the message.
 */
export type State =
  | { readonly status: 'created'; readonly exitCode: number; readonly error: string }
  | { readonly status: 'running' | 'paused'; readonly pid: number; readonly startedAt: string }
  | ({ readonly status: 'restarting' } & Exit)
  | ({ readonly status: 'exited' } & Exit);

export interface Exit {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
}

export type Transition =
  | { readonly type: 'started'; readonly pid: number; readonly startedAt: string }
  | { readonly type: 'startFailed'; readonly exitCode: number; readonly error: string; readonly at: string }
  | {
      readonly type: 'exited';
      readonly exitCode: number;
      readonly oomKilled: boolean;
      readonly at: string;
      /** The restart policy will start it again. */
      readonly restarts: boolean;
    }
  | { readonly type: 'paused' | 'unpaused' | 'restartCancelled' };

/** The state after a transition. An event that cannot happen in a state leaves it as it is. */
export function next(state: State, event: Transition): State {
  switch (event.type) {
    case 'started':
      return { status: 'running', pid: event.pid, startedAt: event.startedAt };
    case 'startFailed': {
      const { exitCode, error } = event;
      if (state.status === 'created') return { status: 'created', exitCode, error };
      if (isLive(state)) return state;
      return { ...state, status: 'exited', exitCode, error, finishedAt: event.at };
    }
    case 'exited': {
      if (!isLive(state)) return state;
      const { exitCode, oomKilled, at: finishedAt } = event;
      const { startedAt } = state;
      const status = event.restarts ? 'restarting' : 'exited';
      return { status, exitCode, oomKilled, startedAt, finishedAt, error: '' };
    }
    case 'paused':
      return state.status === 'running' ? { ...state, status: 'paused' } : state;
    case 'unpaused':
      return state.status === 'paused' ? { ...state, status: 'running' } : state;
    case 'restartCancelled':
      return state.status === 'restarting' ? { ...state, status: 'exited' } : state;
  }
}

export type LiveState = Extract<State, { status: 'running' | 'paused' }>;

export function isLive(state: State): state is LiveState {
  return state.status === 'running' || state.status === 'paused';
}

/** Runs, or will by itself. */
export function mayRun(state: State): boolean {
  return isLive(state) || state.status === 'restarting';
}

export type Wish = 'start' | 'stop' | 'kill' | 'pause' | 'unpause' | 'remove' | 'exec' | 'attach';

/** Why a wish cannot be granted in a state, in dockerd's words and classes; null when it can. */
export function denial(
  state: State,
  wish: Wish,
  { id, name }: { id: string; name: string },
): EngineError | null {
  const live = isLive(state);
  switch (wish) {
    case 'start':
      if (state.status === 'paused')
        return new Conflict('cannot start a paused container, try unpause instead');
      return live ? new NotModified('container is already running') : null;
    case 'stop':
      return live || state.status === 'restarting' ? null : new NotModified('container is already stopped');
    case 'kill':
      return live || state.status === 'restarting' ? null : new Conflict(`container ${id} is not running`);
    case 'pause':
      if (state.status === 'paused') return new Conflict(`Container ${id} is already paused`);
      return live ? null : new Conflict(`container ${id} is not running`);
    case 'unpause':
      return state.status === 'paused' ? null : new Conflict(`container ${id} is not paused`);
    case 'remove':
      if (!live && state.status !== 'restarting') return null;
      return new Conflict(
        `cannot remove container "/${name}": container is ${state.status}: ` +
          (state.status === 'paused'
            ? 'unpause the container first'
            : 'stop the container before removing or force remove'),
      );
    case 'exec':
      if (state.status === 'paused')
        return new Conflict(`Container ${name} is paused, unpause the container before exec`);
      if (state.status === 'restarting')
        return new Conflict(`Container ${id} is restarting, wait until the container is running`);
      return live ? null : new Conflict(`container ${id} is not running`);
    case 'attach':
      if (state.status === 'paused')
        return new Conflict(`container ${name} is paused, unpause the container before attach`);
      return state.status === 'restarting'
        ? new Conflict(`Container ${id} is restarting, wait until the container is running`)
        : null;
  }
}
