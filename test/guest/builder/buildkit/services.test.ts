import t, { type Test } from 'tap';
import type { BuildEvent, Builder } from '../../../../guest/builder/build.ts';
import { BuildError } from '../../../../guest/builder/build-error.ts';
import { createGrpcClient, type GrpcClient } from '../../../../guest/builder/buildkit/grpc/client.ts';
import { serveGrpc } from '../../../../guest/builder/buildkit/grpc/server.ts';
import { GrpcError } from '../../../../guest/builder/buildkit/grpc/status.ts';
import { createBuildKit } from '../../../../guest/builder/buildkit/index.ts';
import * as control from '../../../../guest/builder/buildkit/wire/control.ts';
import * as gateway from '../../../../guest/builder/buildkit/wire/gateway.ts';
import * as history from '../../../../guest/builder/buildkit/wire/history.ts';
import { message } from '../../../../guest/builder/buildkit/wire/message.ts';
import { LocalTrees } from '../../../../guest/builder/cache/local-trees.ts';
import { digestOf } from '../../../../guest/digest.ts';
import { createEventBus } from '../../../../guest/events/bus.ts';
import { ImageStore } from '../../../../guest/images/image-store.ts';
import { openDatabase } from '../../../../guest/store/database.ts';
import { socketPair } from './client-pair.ts';

const { signal } = new AbortController();
const Nothing = message({});

/** The engine's side on one connection, and a client on its other end. */
async function open(t: Test, build: Builder['build'] = () => Promise.reject(new Error('not expected'))) {
  const directory = t.testdir();
  const kit = createBuildKit({
    builder: {
      build,
      check: () => t.fail() as never,
      cache: { limitBytes: 0, usage: async () => [], prune: async () => [] },
    },
    images: new ImageStore(openDatabase(`${directory}/db`)),
    layers: { readTar: () => t.fail() as never, tarSize: () => t.fail() as never },
    originals: {
      blobsOf: () => [],
      content: { stream: () => t.fail() as never, scratch: () => t.fail() as never },
    },
    registry: () => t.fail() as never,
    events: createEventBus(),
    engineId: 'id',
    trees: new LocalTrees(`${directory}/contexts`),
    builds: `${directory}/builds`,
    buildHistory: `${directory}/history`,
    agents: `${directory}/agents`,
    exports: `${directory}/exports`,
    snapshotter: { view: () => t.fail() as never },
    hostGateway: () => '172.17.0.1',
  });
  const [near, far] = await socketPair(t);
  void serveGrpc(far, kit.methods, { signal, onError: (error) => t.error(error) });
  return createGrpcClient(near);
}

const call = {
  solve: (client: GrpcClient, fields: Parameters<typeof control.SolveRequest.of>[0], end = signal) =>
    client.unary(
      '/moby.buildkit.v1.Control/Solve',
      control.SolveRequest,
      control.SolveResponse,
      control.SolveRequest.of(fields),
      { signal: end },
    ),
  return: (client: GrpcClient, ref: string, fields: Parameters<typeof gateway.ReturnRequest.of>[0]) =>
    client.unary(
      '/moby.buildkit.v1.frontend.LLBBridge/Return',
      gateway.ReturnRequest,
      gateway.ReturnResponse,
      gateway.ReturnRequest.of(fields),
      { signal, metadata: { 'buildkit-controlapi-buildid': ref } },
    ),
  history: async (client: GrpcClient, fields: Parameters<typeof history.BuildHistoryRequest.of>[0]) => {
    const stream = client.stream(
      '/moby.buildkit.v1.Control/ListenBuildHistory',
      history.BuildHistoryRequest,
      history.BuildHistoryEvent,
      { signal },
    );
    await stream.send(history.BuildHistoryRequest.of(fields));
    stream.finish();
    const events = [];
    for await (const event of stream.messages) events.push(event);
    return events;
  },
  update: (client: GrpcClient, fields: Parameters<typeof history.UpdateBuildHistoryRequest.of>[0]) =>
    client.unary(
      '/moby.buildkit.v1.Control/UpdateBuildHistory',
      history.UpdateBuildHistoryRequest,
      history.UpdateBuildHistoryResponse,
      history.UpdateBuildHistoryRequest.of(fields),
      { signal },
    ),
  bridge: (client: GrpcClient, ref: string, fields: Parameters<typeof gateway.SolveRequest.of>[0]) =>
    client.unary(
      '/moby.buildkit.v1.frontend.LLBBridge/Solve',
      gateway.SolveRequest,
      gateway.SolveResponse,
      gateway.SolveRequest.of(fields),
      { signal, metadata: { 'buildkit-controlapi-buildid': ref } },
    ),
};

t.test('a client learns who it talks to', async (t) => {
  const client = await open(t);
  const { workers } = await client.unary(
    '/moby.buildkit.v1.Control/ListWorkers',
    control.ListWorkersRequest,
    control.ListWorkersResponse,
    control.ListWorkersRequest.of({}),
    { signal },
  );
  t.equal(workers.length, 1);
  t.equal(workers[0]!.labels.get('org.mobyproject.buildkit.worker.moby.host-gateway-ip'), '172.17.0.1');
  t.ok(workers[0]!.labels.has('org.mobyproject.buildkit.worker.snapshotter'), 'buildx offers archives');
  const pong = await client.unary(
    '/moby.buildkit.v1.frontend.LLBBridge/Ping',
    gateway.PingRequest,
    gateway.PongResponse,
    {},
    { signal },
  );
  for (const id of ['solve.base', 'return', 'proto.refarray'])
    t.ok(
      pong.frontendCaps.some((capability) => capability.id === id && capability.enabled),
      id,
    );
});

t.test('a method that is not there says so', async (t) => {
  const client = await open(t);
  await t.rejects(client.unary('/a.B/C', Nothing, Nothing, {}, { signal }), {
    code: 12,
    message: 'this engine has no method /a.B/C',
  });
});

t.test('a build without a front end ends with what the client returns', async (t) => {
  const client = await open(t);
  const solved = call.solve(client, { ref: 'r', session: 's' });
  await call.return(client, 'r', { result: gateway.Result.of({ ref: { id: '', def: undefined } }) });
  t.same((await solved).exporterResponse, new Map());

  const failing = call.solve(client, { ref: 'q', session: 's' });
  failing.catch(() => {});
  await call.return(client, 'q', { error: { code: 5, message: 'nope', details: [] } });
  await t.rejects(
    failing,
    { code: 2, message: 'nope' },
    'a code that clients would write before it is left out',
  );
});

t.test('builds are in the history, with what they said, until somebody removes them', async (t) => {
  const client = await open(t);
  const attrs = new Map([['filename', 'F']]);
  const failing = call.solve(client, { ref: 'r', session: 's' });
  failing.catch(() => {});
  await t.rejects(call.bridge(client, 'r', { frontend: 'dockerfile.v0', frontendOpt: attrs }));
  t.match(await call.history(client, { activeOnly: true, earlyExit: true }), [
    { type: history.eventTypes.started, record: { ref: 'r' } },
  ]);
  await call.return(client, 'r', { error: { code: 2, message: 'nope', details: [] } });
  await t.rejects(failing);
  const [event, ...more] = await call.history(client, { ref: 'r', earlyExit: true });
  t.same(more, []);
  t.match(event, {
    type: history.eventTypes.complete,
    record: {
      ...{ ref: 'r', frontend: 'dockerfile.v0', frontendAttrs: attrs, pinned: false },
      ...{ error: { message: /no active session/ }, completedAt: Date },
    },
  });
  t.same(await call.history(client, { ref: 'buildx-test-history-api-feature', earlyExit: true }), []);
  await call.update(client, { ref: 'r', pinned: true });
  t.match(await call.history(client, { earlyExit: true }), [{ record: { pinned: true } }]);
  await call.update(client, { ref: 'r', finalize: true });
  await call.update(client, { ref: 'r', delete: true });
  t.same(await call.history(client, { earlyExit: true }), []);
  await t.rejects(call.update(client, { ref: 'r', delete: true }), { message: 'no build r in the history' });
});

t.test('what clients ask for themselves is no build of the history', async (t) => {
  const client = await open(t);
  const solved = call.solve(client, { ref: 'r', session: 's', internal: true });
  await call.return(client, 'r', {});
  await solved;
  t.same(await call.history(client, { earlyExit: true }), []);
});

t.test('graphs, other front ends and other outputs are refused by name', async (t) => {
  const client = await open(t);
  const definition = { def: [Buffer.from('x')], metadata: new Map() };
  await t.rejects(call.solve(client, { ref: 'a', definition }), { message: /does not run LLB/ });
  await t.rejects(call.solve(client, { ref: 'b', frontend: 'mine.v0' }), { message: /frontend mine.v0/ });
  await t.rejects(call.solve(client, { ref: 'c', exporters: [{ type: 'ova', attrs: new Map() }] }), {
    message: /does not support the output type ova; moby, image, oci, docker, local, tar are what it writes/,
  });
  for (const [type, name] of [
    ['moby', 'compression'],
    ['image', 'push-by-digest'],
    ['oci', 'rewrite-timestamp'],
    ['local', 'mode'],
  ] as const)
    await t.rejects(
      call.solve(client, { ref: 'c', exporters: [{ type, attrs: new Map([[name, 'true']]) }] }),
      { message: `this engine does not support --output type=${type},${name}=true; leave ${name} out` },
    );
  for (const [asked, what] of [
    [{ sourcePolicy: Buffer.from('x') }, /source policies/],
    [{ sourcePolicySession: 's' }, /policies \(--policy/],
    [{ proxyNetwork: true }, /network proxy/],
    [{ enableSessionExporter: true }, /exporters that the client serves/],
  ] as const)
    await t.rejects(call.solve(client, { ref: 'c', ...asked }), { message: what });
  const solved = call.solve(client, { ref: 'd', session: 's' });
  solved.catch(() => {});
  await t.rejects(
    call.bridge(client, 'd', { frontend: 'gateway.v0', frontendOpt: new Map([['source', 'x/y']]) }),
    {
      message: /frontend gateway.v0 x\/y/,
    },
  );
  await call.return(client, 'd', {});
  await solved;
});

t.test('a session that never comes is an error', { timeout: 20_000 }, async (t) => {
  const client = await open(t);
  await t.rejects(call.solve(client, { ref: 'a', session: 'nobody', frontend: 'dockerfile.v0' }), {
    message: 'no active session for nobody',
  });
});

/** Asks for the progress of a build. */
async function follow(client: Awaited<ReturnType<typeof open>>, ref: string) {
  const status = client.stream(
    '/moby.buildkit.v1.Control/Status',
    control.StatusRequest,
    control.StatusResponse,
    { signal },
  );
  await status.send({ ref });
  status.finish();
  return status;
}

t.test('who waits for a build hears at once that it was refused', { timeout: 20_000 }, async (t) => {
  const client = await open(t);
  // Before and after, as a client's calls may come in any order.
  const early = call.bridge(client, 'a', {});
  const status = await follow(client, 'a');
  const why = { message: /does not support the output type shiny/ };
  const refused = t.rejects(call.solve(client, { ref: 'a', exporter: 'shiny' }), why);
  await t.rejects(early, why);
  await refused;
  for await (const _ of status.messages) t.fail('there is nothing to tell');
  await t.rejects(call.return(client, 'a', {}), why);
});

t.test('a client that gives up ends its build', async (t) => {
  const client = await open(t);
  const gone = new AbortController();
  const solved = call.solve(client, { ref: 'a', session: 's' }, gone.signal);
  solved.catch(() => {});
  const status = await follow(client, 'a');
  // One connection keeps the order: when this is answered, the build has begun.
  await client.unary('/grpc.health.v1.Health/Check', Nothing, Nothing, {}, { signal });
  gone.abort(new Error('enough'));
  await t.rejects(solved, { message: 'enough' });
  for await (const _ of status.messages) t.fail('it said nothing');
  t.pass('the status ends with the build');
  const known = () => call.history(client, { ref: 'a', earlyExit: true });
  while ((await known())[0]?.type !== history.eventTypes.complete)
    await new Promise((resolve) => setTimeout(resolve, 10));
});

t.test('failures carry the lines that they are about, progress is told from the start', async (t) => {
  const { Progress } = await import('../../../../guest/builder/buildkit/progress.ts');
  const { buildFailure } = await import('../../../../guest/builder/buildkit/failure.ts');
  const dockerfile = { name: 'Dockerfile', text: 'FROM x\n', ignore: null };
  const failure = buildFailure(new BuildError('bad', { range: { first: 1, last: 2 } }), dockerfile);
  t.type(failure, GrpcError);
  t.same(JSON.parse(String(failure.details[0]!.value)), {
    info: {
      filename: 'Dockerfile',
      language: 'Dockerfile',
      data: Buffer.from('FROM x\n').toString('base64'),
    },
    ranges: [{ start: { line: 1 }, end: { line: 2 } }],
  });

  const progress = new Progress();
  const vertex = digestOf('v');
  const log = (data: Buffer): BuildEvent => ({ kind: 'log', vertex, stream: 1, data, at: new Date(0) });
  progress.publish({ kind: 'vertex', digest: vertex, inputs: [], name: 'one', cached: false });
  progress.publish(log(Buffer.alloc(3 * 1024 * 1024)));
  progress.publish(log(Buffer.from('too late')));
  const warning = { short: 'Rule: words (line 1)', detail: ['more'], url: '', range: { first: 1, last: 1 } };
  progress.publish({ kind: 'warning', ...warning }, dockerfile);
  progress.end();
  const updates = [];
  for await (const update of progress.follow(signal)) updates.push(update);
  t.equal(updates.length, 1, 'what is known is told at once');
  t.equal(updates[0]!.vertexes[0]!.name, 'one');
  t.match(updates[0]!.warnings, [{ vertex, level: 1 }], 'shown with what got the Dockerfile');
  t.equal(String(updates[0]!.warnings[0]!.short), 'Rule: words (line 1)');
  t.match(
    updates[0]!.logs.map(({ data }) => String(data)),
    ['[output clipped, log limit 2MiB reached]\n'],
  );
});
