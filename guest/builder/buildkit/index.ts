import type { Registry } from '../../registry/index.ts';
import type { Builder } from '../build.ts';
import type { LocalTrees } from '../cache/local-trees.ts';
import { bridgeMethods, type RunFrontEnd } from './bridge.ts';
import { controlMethods } from './control.ts';
import { archiveExporter } from './exporters/archive.ts';
import type { ExporterType } from './exporters/exporter.ts';
import { type FileExporterDependencies, localExporter, tarExporter } from './exporters/files.ts';
import { type ImageExporterDependencies, imageExporter } from './exporters/image.ts';
import type { LayerFormDependencies } from './exporters/layer-form.ts';
import { askClient, runFrontEnd } from './front-end.ts';
import { type Methods, unary } from './grpc/server.ts';
import { BuildHistory } from './history/build-history.ts';
import { HistoryFiles } from './history/history-files.ts';
import { RunningBuilds } from './running-build.ts';
import { sessionMethod } from './session/session-stream.ts';
import { Sessions } from './session/sessions.ts';
import { int, message, text } from './wire/message.ts';
import { worker } from './worker.ts';

/** BuildKit's services on one engine. */
export interface BuildKit {
  readonly methods: Methods;
  readonly sessions: Sessions;
  /** Waits a little for a session; then what builds ask of it. Throws GrpcError. */
  clientOf(session: string, signal: AbortSignal): Promise<ReturnType<typeof askClient>>;
}

export interface BuildKitDependencies
  extends FileExporterDependencies,
    ImageExporterDependencies,
    LayerFormDependencies {
  readonly builder: Builder;
  registry(): Promise<Pick<Registry, 'push' | 'pushIndex' | 'pullFrom'>>;
  readonly engineId: string;
  readonly trees: LocalTrees;
  /** For contexts that are not directories of a client. */
  readonly builds: string;
  /** For what is known of builds of the past. */
  readonly buildHistory: string;
  /** For sockets of ssh agents. */
  readonly agents: string;
  /** The host's address on the default network. */
  readonly hostGateway: () => string | null;
}

export function createBuildKit(deps: BuildKitDependencies): BuildKit {
  const sessions = new Sessions();
  const builds = new RunningBuilds();
  const image = imageExporter(deps);
  const exporters = new Map<string, ExporterType>([
    ['moby', image],
    ['image', image],
    ['oci', archiveExporter('oci', deps)],
    ['docker', archiveExporter('docker', deps)],
    ['local', localExporter(deps)],
    ['tar', tarExporter(deps)],
  ]);
  const front: RunFrontEnd = (build, asked, signal) =>
    runFrontEnd({ ...deps, sessions }, build, asked, signal);
  const history = new BuildHistory(new HistoryFiles(deps.buildHistory));
  const own = () => {
    const { limitBytes: cacheLimitBytes } = deps.builder.cache;
    return worker({ engineId: deps.engineId, hostGateway: deps.hostGateway(), cacheLimitBytes });
  };
  return {
    sessions,
    clientOf: async (session, signal) => askClient(deps, await sessions.get(session, signal), signal),
    methods: new Map([
      ...controlMethods({
        ...{ builds, sessions, exporters, history, cache: deps.builder.cache },
        ...{ worker: own, runFrontEnd: front },
      }),
      ...bridgeMethods({ builds, worker: own, runFrontEnd: front }),
      ['/moby.buildkit.v1.Control/Session', sessionMethod(sessions)],
      ['/grpc.health.v1.Health/Check', unary(HealthRequest, HealthResponse, () => ({ status: serving }))],
    ]),
  };
}

/** grpc.health.v1 */
const HealthRequest = message({ service: text(1) });
const HealthResponse = message({ status: int(1) });
const serving = 1;
