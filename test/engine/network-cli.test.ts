import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;
t.setTimeout(300_000);

async function open(t: Parameters<typeof EngineHarness.open>[0], prefix: string) {
  const engine = await EngineHarness.open(t, ['--bip', '172.31.23.1/24']);
  await engine.loadBusybox();
  const inspect = async (name: string, format: string) =>
    (await engine.output(['inspect', '-f', format, name])).trim();
  const words = (text: string) => engine.output(text.split(' '));
  // Other engines on this computer share its links and routes, so each test's networks have blocks of their own.
  const network = (name: string, octet: number, ...more: string[]) =>
    engine.output(['network', 'create', '--subnet', `${prefix}.${octet}.0/24`, ...more, name]);
  return { engine, inspect, words, network };
}

t.test('running, stopped and created containers are connected and disconnected', { skip }, async (t) => {
  const { engine, inspect, words, network } = await open(t, '10.23');
  await network('red', 1);
  await network('blue', 2);
  await words('run -d --name web --network red busybox sleep 1000');
  await words('run -d --name client --network blue busybox sleep 1000');
  t.match(await engine.docker(['exec', 'client', 'nslookup', 'web']), { exitCode: 1 });

  await words('network connect --alias www --ip 10.23.2.77 blue web');
  t.equal(await inspect('web', '{{.NetworkSettings.Networks.blue.IPAddress}}'), '10.23.2.77');
  t.match(await engine.output(['exec', 'client', 'nslookup', 'www']), /Address: 10\.23\.2\.77/);
  t.match(await words('exec web ip -o -4 addr show eth1'), '10.23.2.77/24');
  t.match(await words('exec web cat /etc/hosts'), /10\.23\.1\.2\t\w{12}\n10\.23\.2\.77\t\w{12}\n/);
  t.match(await words('exec web ip route'), 'default via 10.23.2.1 dev eth1', 'blue comes before red');
  t.match(await engine.docker(['network', 'connect', 'blue', 'web']), {
    exitCode: 1,
    stderr: /endpoint with name web already exists in network blue/,
  });

  await words('network disconnect red web');
  t.notMatch(await words('exec web ip -o link'), 'eth0');
  t.match(await words('exec web ip route'), 'default via 10.23.2.1 dev eth1');
  t.notMatch(await words('exec web cat /etc/hosts'), '10.23.1.2');
  t.match(await engine.docker(['network', 'disconnect', 'red', 'web']), {
    exitCode: 1,
    stderr: /is not connected to the network red/,
  });
  await words('network connect red web');
  t.match(await words('exec web ip -o -4 addr show eth0'), /10\.23\.1\./, 'the free name is taken again');

  await words('stop -t 0 web');
  await words('network disconnect blue web');
  await words('network connect --alias late blue web');
  await words('start web');
  t.match(await engine.output(['exec', 'client', 'nslookup', 'late']), /Address: 10\.23\.2\./);
  await words('create --name made busybox sleep 1000');
  await words('network connect red made');
  t.equal(
    await inspect('made', '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'),
    'bridge red',
  );
  await words('start made');
  t.match(await words('exec made ip -o -4 addr'), /172\.31\.23\..*\n.*10\.23\.1\./);
});

t.test('a container has several networks, and goes out by the one that is preferred', { skip }, async (t) => {
  const { inspect, words, network } = await open(t, '10.24');
  for (const [i, name] of ['a', 'b', 'c'].entries()) await network(name, i);
  await words(
    'run -d --name web --network a --network name=b,gw-priority=1,driver-opt=com.docker.network.endpoint.ifname=front --network name=c,ip=10.24.2.9,mac-address=02:00:00:00:00:09 busybox sleep 1000',
  );
  t.match(await words('exec web ip route'), 'default via 10.24.1.1 dev front');
  t.match(await words('exec web ip link show eth1'), 'link/ether 02:00:00:00:00:09');
  t.equal(await inspect('web', '{{.NetworkSettings.Networks.b.GwPriority}}'), '1');
  await words('network disconnect b web');
  t.match(await words('exec web ip route'), 'default via 10.24.0.1 dev eth0');
  await words('network disconnect a web');
  await words('network disconnect --force c web');
  t.equal((await words('exec web ip route')).trim(), '');
  await words('run -d --name alone --network none busybox sleep 1000');
  await words('network disconnect none alone');
  await words('network connect c alone');
  t.match(await words('exec alone ip route'), 'default via 10.24.2.1 dev eth0');
  await words('network connect --gw-priority 5 c web');
  t.match(await words('exec web ip route'), 'default via 10.24.2.1 dev eth0');
});

t.test('published ports follow the gateway, and the engine may restart meanwhile', { skip }, async (t) => {
  const { engine, words, network } = await open(t, '10.25');
  await network('front', 1);
  await network('back', 2, '--internal');
  await words('run -d --name web --network back -p 127.0.0.1:0:80 busybox httpd -f -p 80');
  t.equal(await words('port web'), '', 'an internal network publishes nothing');
  await words('network connect front web');
  t.match(await words('port web'), /^80\/tcp -> 127\.0\.0\.1:\d+\n$/, 'until there is a way out');
  await words('rm -f web');
  await words('run -d --name web -p 127.0.0.1:8923:80 busybox httpd -f -p 80');
  const ask = () =>
    fetch('http://127.0.0.1:8923/').then(
      (response) => response.status,
      () => 0,
    );
  t.equal(await ask(), 404);
  await words('network connect front web');
  await words('network disconnect bridge web');
  t.equal(await ask(), 404);
  await engine.stop('SIGKILL');
  await engine.start();
  t.equal(await ask(), 404);
  t.equal(await words('port web'), '80/tcp -> 127.0.0.1:8923\n');
  await words('network connect bridge web');
  await words('network disconnect front web');
  t.equal(await ask(), 404);
  t.match(
    await words('exec web cat /etc/resolv.conf'),
    /^nameserver (?!127\.0\.0\.11)/,
    'no name server is left',
  );
  await words('network disconnect bridge web');
  t.equal(await ask(), 0, 'without a network nothing is published');
  t.equal(await words('port web'), '');
  await words('run -d --name other -p 127.0.0.1:8923:80 busybox httpd -f -p 80');
  t.equal(await ask(), 404, 'the port is free for others');
  t.match(await engine.docker(['network', 'connect', 'bridge', 'web']), {
    exitCode: 1,
    stderr: /port is already allocated/,
  });
  await words('rm -f other');
  await words('network connect back web');
  t.equal(await ask(), 0, 'nor is it in an internal one');
  await engine.stop('SIGKILL');
  await engine.start();
  t.equal(await ask(), 0);
  await words('network connect front web');
  t.equal(await ask(), 404, 'there again with a network that leads out');
});

t.test('links of the default network are hosts and variables, of others names', { skip }, async (t) => {
  const { engine, inspect, words, network } = await open(t, '10.26');
  await words('run -d --name db -e COLOUR=red --expose 5432 busybox sleep 1000');
  const address = await inspect('db', '{{.NetworkSettings.IPAddress}}');
  const env = await words('run --rm --name web --link db:the-db busybox env');
  t.match(env, `THE_DB_PORT_5432_TCP_ADDR=${address}\n`);
  t.match(env, 'THE_DB_NAME=/web/the-db\n');
  t.match(env, 'THE_DB_ENV_COLOUR=red\n');
  const hosts = await words('run --rm --link db:the-db busybox cat /etc/hosts');
  t.match(hosts, new RegExp(`^${address}\\tthe-db \\w{12} db$`, 'm'));
  await words('run -d --name keeps --link db:the-db busybox sleep 1000');
  await words('restart -t 0 db');
  const moved = await inspect('db', '{{.NetworkSettings.IPAddress}}');
  t.match(await words('exec keeps cat /etc/hosts'), new RegExp(`^${moved}\\tthe-db \\w{12} db$`, 'm'));
  await words('rm --link keeps/the-db');
  t.notMatch(await words('exec keeps cat /etc/hosts'), /the-db/);
  t.equal(await inspect('keeps', '{{json .HostConfig.Links}}'), 'null');
  t.match(await engine.docker(['rm', '--link', 'keeps/the-db']), {
    exitCode: 1,
    stderr: /No such container: keeps\/the-db/,
  });
  await words('create --name linked --link db busybox true');
  t.equal(await inspect('linked', '{{json .HostConfig.Links}}'), '["/db:/linked/db"]');
  await words('stop -t 0 db');
  t.match(await engine.docker(['start', 'linked']), {
    stderr: /Cannot link to a non running container: \/db AS/,
  });

  await network('app', 1);
  await words('run -d --name one --network app busybox sleep 1000');
  await words('run -d --name two --network app --link one:uno busybox sleep 1000');
  t.match(await words('exec two nslookup uno'), /Address: 10\.26\.1\./);
  t.match(await engine.docker(['exec', 'one', 'nslookup', 'uno']), { exitCode: 1 });
  await words('rename one first');
  t.match(await words('exec two nslookup first'), /Address: 10\.26\.1\./, 'a new name is known at once');
});

t.test('link-local addresses, and settings and names of other people', { skip }, async (t) => {
  const { engine, words, inspect, network } = await open(t, '10.28');
  await network('app', 1);
  await engine.output([
    'network',
    'create',
    '--opt',
    'com.example.colour=red',
    '--subnet',
    '10.28.9.0/24',
    'a b',
  ]);
  t.equal(await inspect('a b', '{{json .Options}}'), '{"com.example.colour":"red"}');
  await engine.output(['network', 'rm', 'a b']);
  await words('run -d --name web --network app --link-local-ip 169.254.8.8 busybox sleep 1000');
  t.match(await words('exec web ip -o -4 addr show eth0'), /inet 10\.28\.1\..*\n.*inet 169\.254\.8\.8\/16/);
  await words('run -d --name late busybox sleep 1000');
  await words('network connect --link-local-ip 169.254.9.9 --driver-opt com.example.a=b app late');
  t.match(await words('exec late ip -o -4 addr show eth1'), /inet 169\.254\.9\.9\/16/);
  t.match(
    await inspect('late', '{{json .NetworkSettings.Networks.app}}'),
    /"DriverOpts":\{"com.example.a":"b"\}/,
  );
});

t.test('what the engine cannot give is refused with its reason', { skip }, async (t) => {
  const { engine, words, network } = await open(t, '10.27');
  await network('app', 1);
  await words('run -d --name web busybox sleep 1000');
  await words('run -d --name open --network host busybox sleep 1000');
  await words('run -d --name shared --network container:web busybox sleep 1000');
  const refused: [string, RegExp][] = [
    ['network connect host web', /cannot be disconnected from host network or connected to host network/],
    ['network connect app open', /connected to host network/],
    ['network connect app shared', /sharing network namespace with another container/],
    ['network connect none web', /multiple networks with one of the networks in private \(none\) mode/],
    ['network connect nowhere web', /network nowhere not found/],
    ['network connect app nobody', /No such container: nobody/],
    ['network connect --ip 10.27.9.9 app web', /does not belong to the network's subnet/],
    ['network connect --link-local-ip nonsense app web', /invalid link-local IP address: nonsense/],
    ['network disconnect host open', /disconnected from host network/],
    ['run --network app --ip6 fd00::9 busybox', /has no IPv6 addresses/],
    ['network create --subnet 10.27.1.0/25 other', /Pool overlaps with other one on this address space/],
    ['network rm app2', /network app2 not found/],
  ];
  for (const [command, message] of refused) {
    const { exitCode, stderr } = await engine.docker(command.split(' '));
    t.not(exitCode, 0, command);
    t.match(stderr, message, command);
  }
});

t.test('a list names the ports of a network of its own only', { skip }, async (t) => {
  const { engine, inspect, words } = await open(t, '10.23');
  const portsOf = async (name: string) =>
    (await engine.output(['ps', '-a', '--filter', `name=${name}`, '--format', '{{.Ports}}'])).trim();
  await words('run -d --name both --expose 80 --expose 53/udp busybox sleep 1000');
  await words('run -d --name alone --network none --expose 80 busybox sleep 1000');
  t.equal(await portsOf('both'), '53/udp, 80/tcp');
  t.equal(await portsOf('alone'), '');
  t.equal(await inspect('alone', '{{json .Config.ExposedPorts}}'), '{"80/tcp":{}}');
});
