import t from 'tap';
import { FakeEngine, frame } from './fake-engine.ts';

const created = { 'POST /containers/create': () => ({ status: 201, json: { Id: 'abc' } }) };
const started = { 'POST /containers/abc/start': () => ({}) };
const exited = (code: number) => ({ 'POST /containers/abc/wait': () => ({ json: { StatusCode: code } }) });

t.test('run attaches and waits before it starts, and ends with the exit code of the container', async (t) => {
  const engine = await FakeEngine.open(t, { ...created, ...started, ...exited(7) }, (socket) => {
    socket.write(frame(1, 'to stdout\n'));
    socket.end(frame(2, 'to stderr\n'));
  });
  const result = await engine.client(['run', '--rm', '--name', 'web', 'busybox', 'sh', '-c', 'exit 7']);
  t.match(result, { exitCode: 7, stdout: 'to stdout\n', stderr: 'to stderr\n' });
  t.same(engine.asked, [
    'POST /containers/create?name=web',
    'POST /containers/abc/attach?stream=1&stdout=1&stderr=1',
    'POST /containers/abc/wait?condition=removed',
    'POST /containers/abc/start',
  ]);
  t.match(engine.bodies[0], { Image: 'busybox', Cmd: ['sh', '-c', 'exit 7'] });
});

t.test('what is piped in arrives, and its end too', async (t) => {
  const engine = await FakeEngine.open(t, { ...created, ...started, ...exited(0) }, (socket) => {
    let got = '';
    // Not `for await`: it destroys the socket at its end, and the other half with it.
    socket.on('data', (chunk) => {
      got += chunk;
    });
    socket.on('end', () => socket.end(frame(1, got.toUpperCase())));
  });
  t.match(await engine.client(['run', '-i', 'busybox', 'cat'], { input: 'abc\n' }), { stdout: 'ABC\n' });
});

t.test('a terminal is raw while the container runs, gets its size, and is given back', async (t) => {
  const engine = await FakeEngine.open(
    t,
    {
      ...created,
      ...started,
      ...exited(0),
      'POST /containers/abc/attach': () => ({}),
      'POST /containers/abc/resize': () => ({}),
    },
    (socket) => void socket.end('\u001b[1mhi\r\n'),
  );
  const result = await engine.client(['run', '-it', 'busybox', 'sh'], { tty: true, input: null });
  t.match(result, { exitCode: 0, stdout: '\u001b[1mhi\r\n', raw: [true, false] });
  t.ok(engine.asked.includes('POST /containers/abc/resize?h=24&w=80'), engine.asked.join('\n'));
});

t.test('-it without a terminal is refused before anything is made', async (t) => {
  const engine = await FakeEngine.open(t, {});
  const result = await engine.client(['run', '-it', 'busybox']);
  t.match(result, { exitCode: 125, stderr: /the input device is not a TTY/ });
  t.same(engine.asked, []);
});

t.test('-d prints the id and leaves', async (t) => {
  const engine = await FakeEngine.open(t, { ...created, ...started });
  t.match(await engine.client(['run', '-d', 'busybox']), { exitCode: 0, stdout: 'abc\n' });
});

t.test('a start that fails has the exit code that docker gives it', async (t) => {
  const cases: [string, number][] = [
    ['exec: "nope": executable file not found in $PATH', 127],
    ['exec: "/etc": permission denied', 126],
    ['port is already allocated', 125],
  ];
  for (const [message, code] of cases) {
    for (const flags of [['-d'], []]) {
      const engine = await FakeEngine.open(t, {
        ...created,
        'POST /containers/abc/wait': () => ({ json: { StatusCode: 0 } }),
        'POST /containers/abc/start': () => ({ status: 400, json: { message } }),
      });
      const result = await engine.client(['run', ...flags, 'busybox', 'x']);
      t.equal(result.exitCode, code, message);
      t.match(result.stderr, `Error response from daemon: ${message}`);
    }
  }
});

t.test('an image that is not there is pulled, and an error of the pull is told', async (t) => {
  const missing = {
    'POST /containers/create': () => ({ status: 404, json: { message: 'No such image: x:1' } }),
  };
  const engine = await FakeEngine.open(t, {
    ...missing,
    'POST /images/create': () => ({
      json: Buffer.from('{"status":"Pulling from x","id":"1"}\n{"error":"no route to the registry"}\n'),
    }),
  });
  const result = await engine.client(['run', 'x:1']);
  t.equal(result.exitCode, 125);
  t.equal(result.stderr, "Unable to find image 'x:1' locally\n1: Pulling from x\nno route to the registry\n");
  t.ok(engine.asked.includes('POST /images/create?fromImage=x&tag=1'));
});

t.test('exec ends with the exit code of its process', async (t) => {
  const engine = await FakeEngine.open(
    t,
    {
      'POST /containers/web/exec': () => ({ status: 201, json: { Id: 'e1' } }),
      'GET /exec/e1/json': () => ({ json: { ExitCode: 3 } }),
    },
    (socket) => void socket.end(frame(1, 'ps\n')),
  );
  t.match(await engine.client(['exec', '-u', 'root', 'web', 'ps', '-a']), { exitCode: 3, stdout: 'ps\n' });
  t.match(engine.bodies, [
    { Cmd: ['ps', '-a'], User: 'root' },
    { Detach: false, Tty: false },
  ]);
});

t.test('ps and images are tables', async (t) => {
  const now = Date.now() / 1000;
  const engine = await FakeEngine.open(t, {
    'GET /containers/json': () => ({
      json: [
        {
          Id: '0123456789abcdef',
          Image: 'busybox',
          Command: 'httpd -f -p 80 -h /a/long/way',
          Created: now - 30,
          Status: 'Up 30 seconds',
          Ports: [
            { PrivatePort: 90, Type: 'udp' },
            { IP: '0.0.0.0', PublicPort: 8080, PrivatePort: 80, Type: 'tcp' },
          ],
          Names: ['/web'],
        },
      ],
    }),
    'GET /images/json': () => ({
      json: [
        { Id: 'sha256:0123456789abcdef', RepoTags: ['r:5/busybox:1'], Created: now - 90, Size: 4_421_246 },
      ],
    }),
  });
  const lines = (await engine.client(['ps', '-a'])).stdout.split('\n');
  t.equal(
    lines[0],
    'CONTAINER ID   IMAGE     COMMAND                  CREATED          STATUS          PORTS                          NAMES',
  );
  t.equal(
    lines[1],
    '0123456789ab   busybox   "httpd -f -p 80 -h /…"   30 seconds ago   Up 30 seconds   0.0.0.0:8080->80/tcp, 90/udp   web',
  );
  t.equal((await engine.client(['ps', '-q'])).stdout, '0123456789ab\n');
  t.match(
    (await engine.client(['images'])).stdout,
    /\nr:5\/busybox +1 +0123456789ab +About a minute ago +4\.42MB\n$/,
  );
});

t.test('logs tells stdout and stderr apart', async (t) => {
  const engine = await FakeEngine.open(t, {
    'GET /containers/web/logs': () => ({
      type: 'application/vnd.docker.multiplexed-stream',
      json: Buffer.concat([frame(1, 'a\n'), frame(2, 'b\n')]),
    }),
  });
  t.match(await engine.client(['logs', '-n', '5', 'web']), { exitCode: 0, stdout: 'a\n', stderr: 'b\n' });
  t.same(engine.asked, ['GET /containers/web/logs?stdout=1&stderr=1&tail=5']);
});

t.test('one that is not there does not stop the others', async (t) => {
  const engine = await FakeEngine.open(t, {
    'POST /containers/a/stop': () => ({}),
    'POST /containers/b/stop': () => ({ status: 404, json: { message: 'No such container: b' } }),
    'POST /containers/c/stop': () => ({ status: 304 }),
  });
  t.match(await engine.client(['stop', '-t', '1', 'a', 'b', 'c']), {
    exitCode: 1,
    stdout: 'a\nc\n',
    stderr: 'Error response from daemon: No such container: b\n',
  });
});

t.test('what this client does not have points to the docker CLI', async (t) => {
  const engine = await FakeEngine.open(t, {});
  t.match(await engine.client(['compose', 'up']), {
    exitCode: 1,
    stderr: /"docker compose".*install the docker CLI/,
  });
  t.match(await engine.client(['toString']), { exitCode: 1, stderr: /unknown command/ });
  t.match(await engine.client(['run', '--gpus', 'all', 'x']), {
    exitCode: 125,
    stderr: /unknown flag: --gpus.*\n.*docker CLI/,
  });
  t.match(await engine.client(['run']), { exitCode: 125, stderr: /docker run takes IMAGE/ });
  t.match(await engine.client(['run', '--help']), { exitCode: 0, stdout: /--publish PORTS/ });
  t.match(await engine.client([]), { exitCode: 0, stdout: /run +Run a command in a new container/ });
});

t.test('an engine that is not there is an error, not an exception', async (t) => {
  const engine = await FakeEngine.open(t, {});
  const gone = Object.create(engine, { socketPath: { value: `${engine.socketPath}-gone` } }) as FakeEngine;
  t.match(await gone.client(['ps']), { exitCode: 1, stderr: /ENOENT/ });
});
