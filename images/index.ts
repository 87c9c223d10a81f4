export { inspectOsImage, listOsImages, removeOsImage } from './cached-images.ts';
export { ensureOsImage } from './ensure-os-image.ts';
export type {
  Architecture,
  BuildPhase,
  BuildProgress,
  EnsureOsImageOptions,
  Manifest,
  ManifestPackage,
  MirrorSettings,
  OsImage,
  OsImageSummary,
} from './os-image.ts';
export { architectures, buildPhases } from './os-image.ts';
