import { InvalidParameter } from '../errors.ts';

/** What options of the driver `local` ask for: mount(8)'s type, device and options. */
export interface VolumeMount {
  readonly type: string;
  readonly device: string;
  readonly options: string;
}

/** What each option needs next to it (moby, volume/local). */
const companions: Readonly<Record<string, readonly string[]>> = {
  device: ['type'],
  type: ['device'],
  o: ['device', 'type'],
};

/**
 * Null without options: a plain directory. Throws InvalidParameter, in dockerd's words, for an option that
 * cannot be honoured.
 */
export function parseVolumeOptions(options: Readonly<Record<string, string>>): VolumeMount | null {
  for (const [name, value] of Object.entries(options)) {
    if (name === 'size') {
      if (/^0*[a-z]*$/i.test(value)) continue;
      throw new InvalidParameter('quota size requested but no quota support');
    }
    if (!Object.hasOwn(companions, name)) throw new InvalidParameter(`invalid option: "${name}"`);
    const missing = companions[name]!.find((other) => options[other] === undefined);
    if (missing !== undefined) throw new InvalidParameter(`missing required option: "${missing}"`);
  }
  const { type, device, o = '' } = options;
  return type === undefined || device === undefined ? null : { type, device, options: o };
}

/** Whether the mount needs a file system of the kernel's by name: a bind has that of its source. */
export function needsFileSystem({ type, options }: VolumeMount): boolean {
  const words = options.split(',');
  return type !== 'none' && type !== 'bind' && !words.includes('bind') && !words.includes('rbind');
}
