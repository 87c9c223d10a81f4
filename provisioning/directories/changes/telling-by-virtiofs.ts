import { attributeNews } from './attribute-news.ts';
import type { Telling } from './telling.ts';
import { ToldStates } from './told-states.ts';

/** Of more at once, directories say it; of still fewer where those take the machine longer than this. */
const maxPaths = 128;
const minPaths = 16;
const longestBatchMs = 200;
/**
 * Times what the machine has just taken, nothing is told: what a container writes comes back too, and must not be slowed by
 * that. A save waits for none of it, and the next for a tenth of a second; emulated, for one or two.
 */
const restFactor = 9;
const longestRestMs = 5000;

/** Modes that are set to what they are (decision 20). virtiofsd does it; so what comes back is known by what was told. */
export function tellingByVirtiofs(hostPath: (path: string) => Buffer | null): Telling {
  const told = new ToldStates();
  let max = maxPaths;
  let paths = 0;
  const user = { uid: process.getuid!(), groups: [process.getgid!(), ...process.getgroups!()] };
  return {
    get max() {
      return max;
    },
    // virtiofsd does not say what it does.
    isOwn: () => false,
    async take(pending, serial) {
      const heard = pending.takeHeard();
      const news = await attributeNews(heard, { told, hostPath, user });
      paths = news.gone.length + news.directories.length + news.files.length;
      if (paths === 0) return null;
      return { collapsed: heard.collapsedCount, changes: { serial, ...news, departed: [], arrived: [] } };
    },
    told: () => {},
    restMs(tookMs) {
      // Of fewer, most is the time in which programs start.
      if (paths >= minPaths) max = pathsIn(longestBatchMs, tookMs / paths);
      return Math.min(tookMs * restFactor, longestRestMs);
    },
  };
}

function pathsIn(ms: number, eachMs: number): number {
  return Math.max(minPaths, Math.min(maxPaths, Math.floor(ms / eachMs)));
}
