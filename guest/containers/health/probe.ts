import { newId } from '../../ids.ts';
import { killGroup } from '../../runtime/process-identity.ts';
import type { RunningTask } from '../../runtime/runtime.ts';
import { execBody } from '../../schema/container.ts';
import { execProcess } from '../container-wish.ts';
import type { Dependencies } from '../dependencies.ts';
import type { DurableRecord } from '../durable-record.ts';
import type { ProbeResult } from './health.ts';
import type { HealthCheck } from './health-check.ts';
import type { Probe } from './health-monitor.ts';
import { OutputHead } from './output-head.ts';

const startTimeoutMs = 30_000;
const SIGKILL = 9;

/** Probes that run the check's command in the container, as `docker exec` would. */
export function execProbe(record: DurableRecord, check: HealthCheck, deps: Dependencies): Probe {
  return async (signal) => {
    const Start = new Date().toISOString();
    const ended = (ExitCode: number, Output: string): ProbeResult => ({
      Start,
      End: new Date().toISOString(),
      ExitCode,
      Output,
    });
    try {
      await using running = await startProbe(record, check, deps);
      const { task, output } = running;
      const timeout = AbortSignal.timeout(check.timeoutMs);
      const over = await Promise.race([
        Promise.all([task.exited, output.complete]),
        aborted(AbortSignal.any([timeout, signal])),
      ]);
      if (over) return ended(over[0].exitCode, output.text);
      const text = output.text === '' ? '' : `: ${output.text}`;
      return ended(-1, `Health check exceeded timeout (${shown(check.timeoutMs)})${text}`);
    } catch (error) {
      return ended(-1, error instanceof Error ? error.message : String(error));
    }
  };
}

/** As Go writes durations: `50ms`, `1.5s`, `1m30s`. */
function shown(timeoutMs: number): string {
  if (timeoutMs < 1000) return `${timeoutMs}ms`;
  const minutes = Math.floor(timeoutMs / 60_000);
  return `${minutes > 0 ? `${minutes}m` : ''}${(timeoutMs % 60_000) / 1000}s`;
}

interface RunningProbe extends AsyncDisposable {
  readonly task: RunningTask;
  readonly output: OutputHead;
}

/** The time to start it is not the probe's; disposing of it ends what still runs. */
async function startProbe(
  record: DurableRecord,
  { command }: HealthCheck,
  deps: Dependencies,
): Promise<RunningProbe> {
  const execID = newId();
  const { id } = record.value;
  const words = command.join(' ');
  record.publish(`exec_create: ${words}`, { execID });
  record.publish(`exec_start: ${words}`, { execID });
  const starting = deps.runtime.exec(id, {
    execId: execID,
    process: execProcess(record.value, deps, execBody.parse({ Cmd: command })),
    openStdin: false,
    endsWithEngine: true,
  });
  const task = await Promise.race([starting, aborted(AbortSignal.timeout(startTimeoutMs))]);
  if (!task) {
    // If it comes to life after all, nobody wants it.
    void starting.then(end, () => {});
    throw new Error(`timed out starting health check for container ${id}`);
  }
  const output = new OutputHead([task.stdout, ...(task.stderr ? [task.stderr] : [])]);
  void task.exited.then(({ exitCode }) => record.publish('exec_die', { execID, exitCode: `${exitCode}` }));
  return { task, output, [Symbol.asyncDispose]: () => end(task) };
}

async function end(task: RunningTask): Promise<void> {
  // The runtime makes it the leader of a session: what it started goes too, or hung probes would pile up.
  if (task.kill(0)) killGroup(task.pid);
  task.kill(SIGKILL);
  await task.exited;
  await task.release();
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
