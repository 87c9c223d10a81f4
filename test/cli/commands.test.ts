import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { apiSocketOf } from '../../provisioning/supervisor/socket/path.ts';
import { runMachine } from './run-machine.ts';

t.test('the life of a machine, command by command', { timeout: 115_000 }, async (t) => {
  const store = t.testdir();
  const machine = (...args: string[]) => runMachine(store, args);
  const directory = join(store, 'machines', 'dev');

  const created = await machine('create', '-d', 'fake', '--engine-label', 'a=b', '--swarm', 'dev');
  t.equal(created.exitCode, 0, created.stderr);
  t.equal(
    created.stdout,
    'Docker is up and running!\nTo see how to connect your Docker Client to the Docker Engine of this machine, run: machine env dev\n',
  );
  t.match(created.stderr, /^WARNING: .*Swarm/m);

  const url = 'tcp://127.0.0.1:2376';
  t.match(
    (await machine('ls')).stdout,
    /\ndev +- +fake +Running +tcp:\/\/127\.0\.0\.1:2376 +node +v0\.0\.0\n$/,
  );
  const active = await runMachine(store, ['active'], { env: { DOCKER_HOST: url } });
  t.equal(active.stdout, 'dev\n', active.stderr);
  const socket = apiSocketOf({ directory }).url;
  t.equal((await runMachine(store, ['active'], { env: { DOCKER_HOST: socket } })).stdout, 'dev\n');
  t.match(await machine('active'), { exitCode: 1, stderr: 'Error: No active host found\n' });
  t.equal((await machine('status', 'dev')).stdout, 'Running\n');
  t.same(JSON.parse((await machine('status', '--json', 'dev')).stdout), {
    Name: 'dev',
    State: 'Running',
    Errors: [],
    Supervisor: null,
  });
  t.equal(
    (await machine('inspect', '-f', '{{.Driver.IPAddress}} {{.DriverName}}', 'dev')).stdout,
    '127.0.0.1 fake\n',
  );

  const exports = [
    'export DOCKER_TLS_VERIFY="1"',
    `export DOCKER_HOST="${url}"`,
    `export DOCKER_CERT_PATH="${directory}"`,
    'export DOCKER_MACHINE_NAME="dev"',
  ];
  const hint = (args: string) => [
    '# Run this command to configure your shell: ',
    `# eval $(machine env ${args})`,
    '',
  ];
  t.equal((await machine('env', 'dev')).stdout, [...exports, ...hint('dev')].join('\n'));
  const noProxy = await runMachine(store, ['env', '--no-proxy', 'dev'], { env: { no_proxy: 'a,127.0.0.1' } });
  t.equal(
    noProxy.stdout,
    [...exports, 'export no_proxy="a,127.0.0.1"', ...hint('--no-proxy dev')].join('\n'),
  );
  t.match((await machine('env', '-u')).stdout, /^unset DOCKER_TLS_VERIFY\nunset DOCKER_HOST\n/);
  t.match(await machine('env', '--shell', 'ksh', 'dev'), { exitCode: 1, stderr: /no shell "ksh"/ });

  t.match(await machine('stop', 'dev'), {
    exitCode: 0,
    stderr: 'Stopping "dev"...\nMachine "dev" was stopped.\n',
  });
  t.match(await machine('stop', 'dev'), { exitCode: 0, stderr: /^Machine "dev" is already stopped\.$/m });
  t.match(await machine('doctor', 'dev'), {
    exitCode: 1,
    stdout: /^PROBLEM +machine +Stopped: machine start dev starts it$/m,
  });
  for (const command of ['url', 'ip', 'env', 'config'])
    t.match(
      await machine(command, 'dev'),
      { exitCode: 1, stdout: '', stderr: /^Error: Host is not running/ },
      command,
    );
  t.match(await machine('start', 'dev'), { exitCode: 0, stderr: /^Machine "dev" was started\.$/m });
  t.match(await machine('start', 'dev'), { exitCode: 0, stderr: /^Machine "dev" is already running\.$/m });
  t.match(await machine('env', '--socket', 'dev'), { exitCode: 1, stderr: /driver fake have no socket/ });
  t.match(await machine('use', 'dev'), {
    exitCode: 1,
    stderr: /driver fake have no socket on this computer/,
  });

  t.match(await machine('rm', 'dev'), {
    exitCode: 1,
    stderr: /there is no terminal to ask on; say yes with -y/,
  });
  t.match(await machine('rm', '-y', 'dev', 'nope'), { exitCode: 1, stderr: /"nope" does not exist/ });
  t.equal((await machine('status', 'dev')).stdout, 'Running\n', 'nothing is removed when a name is wrong');
  t.equal((await machine('rm', '-y', 'dev')).exitCode, 0);
  t.equal((await machine('ls', '-q')).stdout, '');
});

t.test('a machine whose record cannot be read is listed, and removed by force', async (t) => {
  const store = t.testdir({ machines: { odd: { 'config.json': '{' } } });
  const listed = await runMachine(store, ['ls']);
  t.match(listed.stdout, /\nodd +- +Error +config.json is not a JSON object\n/);
  t.equal((await runMachine(store, ['rm', '-f', 'odd'])).exitCode, 0);
  t.equal((await runMachine(store, ['ls', '-q'])).stdout, '');
});

t.test('errors go to standard error in one form, with docker-machine’s exit codes', async (t) => {
  const store = t.testdir();
  const rows: [string[], number, RegExp][] = [
    [['nope'], 1, /^Error: unknown command "nope"; machine --help lists them\n$/],
    [['ls', '--nope'], 1, /^Error: unknown option '--nope'\n$/],
    [['status', 'dev'], 1, /^Error: machine "dev" does not exist; machine ls lists them\n$/],
    [
      ['start', 'dev'],
      1,
      /^Starting "dev"...\nError: machine "dev" does not exist; machine ls lists them\n$/,
    ],
    [['ip'], 1, /^Error: No machine name\(s\) specified and no "default" machine exists\n$/],
    [['create'], 1, /^Error: No machine name specified/],
    [['create', '-d', 'nope', 'x'], 1, /^Error: no driver "nope"; there are /],
    [['create', '-d', 'none', 'x'], 3, /\nError with pre-create check: driver none needs --url/],
    [['create', '-d', 'fake', 'a_b'], 1, /^Error: invalid hostname "a_b"/],
    [['create', '-d', 'fake', '--engine-opt', 'x=y', 'x'], 1, /^Error: --engine-opt: /],
    [['create', '-d', 'fake', '--engine-storage-driver', 'zfs', 'x'], 1, /there is only overlay2/],
  ];
  for (const [args, exitCode, stderr] of rows)
    t.match(await runMachine(store, args), { exitCode, stdout: '', stderr }, args.join(' '));
});

t.test('driver none remembers a URL', async (t) => {
  const store = t.testdir();
  const url = 'tcp://127.0.0.1:1';
  const created = await runMachine(store, ['create', '-d', 'none', '--url', url, 'there']);
  t.equal(created.exitCode, 0, created.stderr);
  t.equal((await runMachine(store, ['url', 'there'])).stdout, `${url}\n`);
  t.match(
    (await runMachine(store, ['ls'])).stdout,
    /there +- +none +Running +\S+ +Unknown +the engine at .* does not answer/,
  );
  t.match(await runMachine(store, ['stop', 'there']), { exitCode: 1, stderr: /driver none cannot stop/ });
  t.equal((await runMachine(store, ['rm', '-y', 'there'])).exitCode, 0);
});

t.test(
  'what a driver cannot do for a machine is refused, and so is an unknown extra of an OS image',
  async (t) => {
    const store = t.testdir();
    t.match(
      await runMachine(store, [
        'create',
        '-d',
        'none',
        '--url',
        'tcp://10.1.2.3:2376',
        '--with',
        'qemu-user',
        'x',
      ]),
      { exitCode: 1, stderr: /driver "none" boot no OS image of ours; leave out --with/ },
    );
    t.match(await runMachine(store, ['create', '-d', 'fake', '--suspend-after', '10m', 'x']), {
      exitCode: 1,
      stderr: /driver "fake" cannot suspend machines; leave out --suspend-after/,
    });
    t.match(await runMachine(store, ['image', 'build', '--with', 'rosetta']), {
      exitCode: 1,
      stderr: /--with rosetta: an OS image can have qemu-user, or none/,
    });
  },
);

t.test('create --json tells each step, and ends with the record', async (t) => {
  const store = t.testdir();
  const { stdout } = await runMachine(store, ['create', '-d', 'fake', '--json', 'dev']);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(events[0], { type: 'step', status: 'started', step: 'Running pre-create checks', machine: 'dev' });
  t.match(events.at(-1), { type: 'created', record: { Name: 'dev', Phase: 'created' } });
});

t.test('the store holds no path of its own, so that it can be moved', async (t) => {
  const store = t.testdir();
  await runMachine(store, ['create', '-d', 'fake', 'dev']);
  const config = join(store, 'machines', 'dev', 'config.json');
  t.notMatch(await readFile(config, 'utf8'), store);
  await writeFile(
    config,
    (await readFile(config, 'utf8')).replace('"ConfigVersion": 4', '"ConfigVersion": 5'),
  );
  t.match(await runMachine(store, ['status', 'dev']), {
    exitCode: 1,
    stderr: /config version is from the future/,
  });
});
