/**
 * What clients may use (buildkit, frontend/gateway/pb/caps.go and solver/pb/caps.go). Front-end ones mean calls of
 * LLBBridge; the others mean what a graph could hold, and stand for the same in a Dockerfile.
 */
export const frontEndCapabilities = [
  'solve.base',
  'return',
  'returnmap',
  'proto.refarray',
  'importcaches',
  'gateway.solve.metadata',
  'gateway.evaluate',
  'reference.output',
  'frontend.inputs',
];

export const graphCapabilities = [
  'source.image',
  'source.local',
  'source.local.followpaths',
  'source.local.excludepatterns',
  'exec.meta.base',
  'exec.meta.network',
  'exec.meta.ulimit',
  'exec.mount.bind',
  'exec.mount.cache',
  'exec.mount.tmpfs',
  'exec.mount.secret',
  'exec.mount.ssh',
  'file.base',
  'constraints',
  'platform',
  'exporter.sourcedateepoch',
  'exporter.multiple',
];
