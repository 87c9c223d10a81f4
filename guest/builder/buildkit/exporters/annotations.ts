import { formatPlatform, type Platform, parsePlatform, plainPlatform } from '../../../images/platform.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import type { Attributes } from './attributes.ts';

export const annotationPlaces = ['manifest', 'manifest-descriptor', 'index', 'index-descriptor'] as const;
export type AnnotationPlace = (typeof annotationPlaces)[number];

interface Annotation {
  readonly place: AnnotationPlace;
  /** Null = of every platform. */
  readonly platform: string | null;
  readonly key: string;
  readonly value: string;
}

/** OCI annotations (`annotation.KEY=VALUE`), by what they are written on. */
export class Annotations {
  readonly #all: readonly Annotation[];

  constructor(all: readonly Annotation[]) {
    this.#all = all;
  }

  /** Those of a place; what is said of the platform goes before what is said of all. */
  of(place: AnnotationPlace, platform?: Platform): Readonly<Record<string, string>> {
    const its = platform ? formatPlatform(platform) : null;
    const at = (wanted: string | null) =>
      this.#all
        .filter((one) => one.place === place && one.platform === wanted)
        .map(({ key, value }) => [key, value] as const);
    return Object.fromEntries([...at(null), ...(its === null ? [] : at(its))]);
  }

  /** Throws GrpcError for annotations of an index that will not be, or of a platform that is not built for. */
  check({
    isIndex,
    platforms,
  }: {
    readonly isIndex: boolean;
    readonly platforms: readonly Platform[];
  }): void {
    const known = platforms.map(formatPlatform);
    for (const { place, platform } of this.#all) {
      if (!isIndex && place.startsWith('index'))
        throw new GrpcError(
          codes.invalidArgument,
          'index annotations not supported for single platform export',
        );
      if (platform !== null && !known.includes(platform))
        throw new GrpcError(
          codes.invalidArgument,
          `invalid annotation: no platform ${platform} found in source`,
        );
    }
  }
}

/** `annotation[-PLACE][[PLATFORM]].KEY` (buildkit, exporter/containerimage/exptypes/annotations.go). */
export function takeAnnotations(attributes: Attributes): Annotations {
  const all = [...attributes.takeAll('annotation')].flatMap(([rest, value]): Annotation[] => {
    const [, word = 'manifest', platform, key = ''] =
      /^(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/-]+)\])?\.(\S+)$/.exec(rest) ?? [];
    const place = annotationPlaces.find((one) => one === word);
    if (!place || key === '') return attributes.refuse(`annotation${rest}`, value);
    const its = platform === undefined ? null : formatPlatform(plainPlatform(parsePlatform(platform)));
    return [{ place, platform: its, key, value }];
  });
  return new Annotations(all);
}
