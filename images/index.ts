export { inspectOsImage, listOsImages, removeOsImage } from './cached-images.ts';
export { ensureOsImage } from './ensure-os-image.ts';
export type {
  Architecture,
  BuildPhase,
  BuildProgress,
  EnsureOsImageOptions,
  ImageExtra,
  Manifest,
  ManifestPackage,
  MirrorSettings,
  OsImage,
  OsImageSummary,
} from './os-image.ts';
export { architectures, buildPhases, imageExtras } from './os-image.ts';
