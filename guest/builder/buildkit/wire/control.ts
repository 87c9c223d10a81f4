import { bytes, flag, int, map, message, nested, repeated, text, time } from './message.ts';

/** moby.buildkit.v1 (api/services/control/control.proto, api/types/worker.proto), as far as clients use it. */

export const Platform = message({ architecture: text(1), os: text(2), variant: text(3) });

/** pb.Definition: a graph. Clients take none without metadata of its vertices, of which there is nothing to say here. */
export const Definition = message({ def: repeated(bytes(1)), metadata: map(2, nested(2, message({}))) });

const Version = message({ package: text(1), version: text(2), revision: text(3) });

const GcPolicy = message({
  all: flag(1),
  keepDuration: int(2),
  keepBytes: int(3),
  filters: repeated(text(4)),
  /** What `keepBytes` meant until there was a least beside the most; newer clients show it. */
  maxUsedSpace: int(5),
});

export const Worker = message({
  id: text(1),
  labels: map(2, text(2)),
  platforms: repeated(nested(3, Platform)),
  gcPolicy: repeated(nested(4, GcPolicy)),
  version: nested(5, Version),
});

export const ListWorkersRequest = message({ filter: repeated(text(1)) });
export const ListWorkersResponse = message({ workers: repeated(nested(1, Worker)) });

export const InfoRequest = message({});
export const InfoResponse = message({ version: nested(1, Version) });

export const Exporter = message({ type: text(1), attrs: map(2, text(2)) });

const CacheEntry = message({ type: text(1), attrs: map(2, text(2)) });

export const SolveRequest = message({
  ref: text(1),
  definition: nested(2, Definition),
  /** For engines older than 0.13; newer clients fill both. */
  exporter: text(3),
  exporterAttrs: map(4, text(2)),
  session: text(5),
  frontend: text(6),
  frontendAttrs: map(7, text(2)),
  cache: nested(
    8,
    message({ exports: repeated(nested(4, CacheEntry)), imports: repeated(nested(5, CacheEntry)) }),
  ),
  entitlements: repeated(text(9)),
  frontendInputs: map(10, nested(2, Definition)),
  internal: flag(11),
  /** Only whether there is one. */
  sourcePolicy: bytes(12),
  exporters: repeated(nested(13, Exporter)),
  enableSessionExporter: flag(14),
  sourcePolicySession: text(15),
  proxyNetwork: flag(17),
});
export const SolveResponse = message({ exporterResponse: map(1, text(2)) });

export const StatusRequest = message({ ref: text(1) });

const Vertex = message({
  digest: text(1),
  inputs: repeated(text(2)),
  name: text(3),
  cached: flag(4),
  started: time(5),
  completed: time(6),
  error: text(7),
});

const VertexStatus = message({
  id: text(1),
  vertex: text(2),
  name: text(3),
  current: int(4),
  total: int(5),
  timestamp: time(6),
  started: time(7),
  completed: time(8),
});

const VertexLog = message({ vertex: text(1), timestamp: time(2), stream: int(3), data: bytes(4) });

/** pb.Position and pb.Range; lines count from 1. */
const Range = message({
  start: nested(1, message({ line: int(1) })),
  end: nested(2, message({ line: int(1) })),
});

/** pb.SourceInfo */
const SourceInfo = message({ filename: text(1), data: bytes(2) });

const VertexWarning = message({
  vertex: text(1),
  level: int(2),
  short: bytes(3),
  detail: repeated(bytes(4)),
  url: text(5),
  source: nested(6, SourceInfo),
  ranges: repeated(nested(7, Range)),
});

export const StatusResponse = message({
  vertexes: repeated(nested(1, Vertex)),
  statuses: repeated(nested(2, VertexStatus)),
  logs: repeated(nested(3, VertexLog)),
  warnings: repeated(nested(4, VertexWarning)),
});

export const UsageRecord = message({
  id: text(1),
  mutable: flag(2),
  inUse: flag(3),
  size: int(4),
  createdAt: time(6),
  lastUsedAt: time(7),
  usageCount: int(8),
  description: text(9),
  recordType: text(10),
  shared: flag(11),
  parents: repeated(text(12)),
});

export const DiskUsageRequest = message({ filter: repeated(text(1)) });
export const DiskUsageResponse = message({ records: repeated(nested(1, UsageRecord)) });

/** `keepDuration` in nanoseconds; `reservedSpace` was `keepBytes`. */
export const PruneRequest = message({
  filter: repeated(text(1)),
  all: flag(2),
  keepDuration: int(3),
  reservedSpace: int(4),
  maxUsedSpace: int(5),
  minFreeSpace: int(6),
});
