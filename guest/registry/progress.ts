/** One line of what `docker pull` and `docker push` draw (moby, pkg/jsonmessage). */
export interface ProgressLine {
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly id?: string;
  readonly aux?: object;
}

export type OnProgress = (line: ProgressLine) => void;

/** Twelve hex digits, by which people tell layers apart. */
export function layerName(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1, digest.indexOf(':') + 13);
}

/** A state of a layer, in dockerd's words. */
export function layerStatus(digest: string, status: string): ProgressLine {
  return { status, progressDetail: {}, id: layerName(digest) };
}

/** As often as dockerd tells how far something is. */
const intervalMs = 100;

/**
 * Makes a bar of how many bytes have passed, told not too often. dockerd draws another one for what it does
 * after; so the last piece is always told.
 */
export function progressBar(
  onProgress: OnProgress,
  bar: { readonly digest: string; readonly status: string; readonly total: number },
  now: () => number = () => performance.now(),
): (current: number) => void {
  let toldAt = -Infinity;
  return (current) => {
    if (current < bar.total && now() - toldAt < intervalMs) return;
    toldAt = now();
    onProgress({
      status: bar.status,
      progressDetail: { current, total: bar.total },
      id: layerName(bar.digest),
    });
  };
}
