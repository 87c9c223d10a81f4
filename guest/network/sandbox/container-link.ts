import { InvalidParameter } from '../../errors.ts';

/** `--link target:alias`: a container has another under a name of its own. */
export interface ContainerLink {
  /** Name or id, as it was asked for. */
  readonly target: string;
  readonly alias: string;
}

/** `web:www`, or `web` alone, whose alias is its name; as inspect shows it, too: `/web:/own/www`. */
export function parseLink(text: string): ContainerLink {
  const [target = '', path = target, ...rest] = text.split(':');
  const alias = path.slice(path.lastIndexOf('/') + 1);
  if (target === '' || alias === '' || rest.length > 0 || /\s/.test(text))
    throw new InvalidParameter(`bad format for links: ${text}`);
  return { target: target.replace(/^\//, ''), alias };
}
