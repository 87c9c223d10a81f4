const passed = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** While it lasts, signals to this process go to `send` instead; the returned function ends that. */
export function passSignals(send: (signal: string) => Promise<unknown>): () => void {
  const pass = (signal: NodeJS.Signals) => {
    // Too late for a container that has just ended, whose exit code is on its way.
    send(signal).catch(() => {});
  };
  for (const signal of passed) process.on(signal, pass);
  return () => {
    for (const signal of passed) process.off(signal, pass);
  };
}
