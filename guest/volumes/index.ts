export { LocalVolumes } from './local-volumes.ts';
export type { VolumeMountpoint, VolumeStore } from './volume-store.ts';
