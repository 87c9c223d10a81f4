import type { Image } from '../images/image.ts';
import {
  formatPlatform,
  hostPlatform,
  matchesPlatform,
  parsePlatform,
  requirePlatform,
} from '../images/platform.ts';

/**
 * `--platform`: throws NotFound when the image is of another one (the client then pulls the right one), and
 * InvalidParameter. Without it, an image of another platform than the host's is worth a warning: its programs
 * run only where binfmt_misc has an emulator for them.
 */
export function checkPlatform(
  { config }: Pick<Image, 'config'>,
  { asked, reference }: { readonly asked: string | undefined; readonly reference: string },
): string[] {
  requirePlatform(config, asked ? parsePlatform(asked) : undefined, reference);
  if (asked || config.architecture === '' || matchesPlatform(config, hostPlatform)) return [];
  return [
    `The requested image's platform (${formatPlatform(config)}) does not match the detected host platform (${formatPlatform(hostPlatform)}) and no specific platform was requested`,
  ];
}
