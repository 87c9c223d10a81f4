import t from 'tap';
import { ask } from '../guest/api/client.ts';
import { Hijacked } from '../helpers/hijacked.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;
const echoing = ['sh', '-c', 'stty -echo; echo ready; while read -r line; do echo "got $line"; done'];
const everything = 'stream=1&stdin=1&stdout=1';

/** A container with a terminal and an open stdin. */
async function run(engine: EngineHarness, name: string, ...command: string[]): Promise<void> {
  await engine.output(['run', '-dit', '--network', 'none', '--name', name, 'busybox', ...command]);
}

async function status(engine: EngineHarness, name: string): Promise<string> {
  return (await engine.output(['inspect', '--format', '{{.State.Status}}', name])).trim();
}

t.test('the engine detaches a client by the keys that its request names', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await run(engine, 'one', ...echoing);
  const attach = (query: string) =>
    Hijacked.open(engine.socket, `/v1.50/containers/one/attach?${everything}&logs=1&${query}`);

  const own = await attach('detachKeys=a,ctrl-x');
  await own.shows('ready');
  own.type('cat\r');
  await own.shows('got cat');
  own.type('x\x10y\r');
  await own.shows('got x\x10y');
  own.type('a');
  own.type('\x18');
  t.notMatch(await own.ended, /got a/, 'keys in two writes');
  t.equal(await status(engine, 'one'), 'running');

  const standard = await attach('');
  standard.type('half\x10way\r');
  await standard.shows('half\x10way');
  standard.type('\x10\x11');
  await standard.ended;
  t.equal(await status(engine, 'one'), 'running');

  // The CLI cuts durations to whole seconds.
  const now = ((Date.now() + 1) / 1000).toFixed(3);
  const events = await engine.output([
    ...['events', '--since', '1h', '--until', now, '--filter', 'event=detach'],
    ...['--format', '{{.Action}}'],
  ]);
  t.equal(events, 'detach\ndetach\n');
  const { status: refused, body } = await ask(
    engine.socket,
    `POST /v1.50/containers/one/attach?${everything}&detachKeys=ctrl-1`,
  );
  t.equal(refused, 400);
  t.match(body, /Invalid detach keys \(ctrl-1\) provided/);
});

t.test('without a terminal the keys are input like any other', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output(['run', '-di', '--network', 'none', '--name', 'one', 'busybox', ...echoing]);
  const client = await Hijacked.open(
    engine.socket,
    `/v1.50/containers/one/attach?${everything}&detachKeys=a`,
  );
  client.type('a\n');
  await t.resolves(client.shows('got a'));
  client.close();
});

t.test('an exec session detaches by its own keys', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await run(engine, 'one', 'sleep', '1000');
  const wish = { AttachStdin: true, AttachStdout: true, Tty: true, DetachKeys: 'q,q', Cmd: echoing };
  const made = await ask(engine.socket, 'POST /v1.50/containers/one/exec', JSON.stringify(wish));
  const path = `/v1.50/exec/${JSON.parse(made.body).Id}`;
  const session = await Hijacked.open(engine.socket, `${path}/start`, { Tty: true });
  await session.shows('ready');
  session.type('quit\r');
  await session.shows('got quit');
  session.type('qq');
  await session.ended;
  const { body } = await ask(engine.socket, `GET ${path}/json`);
  t.match(JSON.parse(body), { Running: true, ExitCode: null });
});

t.test('whoever starts an exec session says whether its output has frames', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await run(engine, 'one', 'sleep', '1000');
  const start = async (terminal: boolean, raw: boolean) => {
    const wish = { AttachStdout: true, Tty: terminal, Cmd: ['echo', 'said'] };
    const made = await ask(engine.socket, 'POST /v1.50/containers/one/exec', JSON.stringify(wish));
    const path = `/v1.50/exec/${JSON.parse(made.body).Id}/start`;
    return await (await Hijacked.open(engine.socket, path, { Tty: raw })).ended;
  };
  t.equal(await start(true, false), '\x01\0\0\0\0\0\0\x06said\r\n');
  t.equal(await start(false, true), 'said\n');
});

t.test('terminals have the size that they are given, at the start and later', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const sizes = ['sh', '-c', 'stty -echo; trap "stty size" WINCH; stty size; while :; do read -r _; done'];
  const created = await ask(
    engine.socket,
    'POST /v1.50/containers/create?name=one',
    JSON.stringify({
      ...{ Image: 'busybox', Cmd: sizes, Tty: true, OpenStdin: true },
      HostConfig: { ConsoleSize: [11, 22], NetworkMode: 'none' },
    }),
  );
  t.equal(created.status, 201);
  t.equal((await ask(engine.socket, 'POST /v1.50/containers/one/resize?h=1&w=1')).status, 409);
  const client = await Hijacked.open(engine.socket, `/v1.50/containers/one/attach?${everything}`);
  await engine.output(['start', 'one']);
  await client.shows('11 22');
  t.equal((await ask(engine.socket, 'POST /v1.50/containers/one/resize?h=33&w=44')).status, 200);
  await client.shows('33 44');

  const wish = { AttachStdin: true, AttachStdout: true, Tty: true, Cmd: sizes };
  const made = await ask(engine.socket, 'POST /v1.50/containers/one/exec', JSON.stringify(wish));
  const path = `/v1.50/exec/${JSON.parse(made.body).Id}`;
  const session = await Hijacked.open(engine.socket, `${path}/start`, { Tty: true, ConsoleSize: [55, 66] });
  await session.shows('55 66');
  t.equal((await ask(engine.socket, `POST ${path}/resize?h=77&w=88`)).status, 200);
  await session.shows('77 88');
  for (const one of [client, session]) one.close();
  t.equal((await ask(engine.socket, 'POST /v1.50/containers/one/resize?h=x&w=1')).status, 400);
});

t.test(
  'between the past that logs=1 gives and what comes nothing is lost or doubled',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    const count = 20_000;
    const script = `i=0; while [ $i -lt ${count} ]; do echo $((i+=1)); [ $((i % 50)) != 0 ] || usleep 1000; done`;
    // With a terminal the bytes come as they are.
    await run(engine, 'one', 'sh', '-c', script);
    const path = '/v1.50/containers/one/attach?logs=1&stream=1&stdout=1';
    const clients = await Promise.all([1, 2, 3].map(() => Hijacked.open(engine.socket, path)));
    const expected = Array.from({ length: count }, (_, i) => `${i + 1}\r\n`).join('');
    for (const { ended } of clients) t.ok((await ended) === expected);
  },
);
