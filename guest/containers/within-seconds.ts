/** Whether the promise resolves in time; negative seconds = it is waited for without end. */
export async function withinSeconds(settled: Promise<void>, seconds: number): Promise<boolean> {
  if (seconds < 0) {
    await settled;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  try {
    return await Promise.race([settled.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
