import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { differences } from './differences.ts';
import { call } from './http.ts';
import { inspectedContainers } from './inspected-containers.ts';
import { againstDockerd, cannotPlay, openSubject } from './subject.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(120_000);
/** What dockerd 26.1 said, key by key. */
const fixture = join('test', 'fixtures', 'compat', 'inspect.json');
const recording = againstDockerd && process.env.MACHINE_COMPAT_RECORD !== undefined;

/** Values that are each engine's own; their types must agree all the same. */
const own = [
  /^\$\.(Id|Created|Image|ResolvConfPath|HostnamePath|HostsPath|LogPath)$/,
  /^\$\.State\.(Pid|StartedAt)$/,
  // A storage driver's own directories.
  /^\$\.GraphDriver\.Data/,
  /^\$\.HostConfig\.(Runtime|MaskedPaths|ReadonlyPaths)/,
  // The host's cgroups decide these two.
  /^\$\.HostConfig\.(CgroupnsMode|OomKillDisable)$/,
  /^\$\.Config\.Hostname$/,
  /^\$\.NetworkSettings\.(SandboxID|SandboxKey|EndpointID|IPAddress|MacAddress)$/,
  /^\$\.NetworkSettings\.Networks\.\w+\.(NetworkID|EndpointID|IPAddress|MacAddress|DNSNames)/,
  /^\$\.Mounts\[\d\]\.(Name|Source)$/,
  // Labels of SELinux, which is not here; and dockerd looks at what its own root is below.
  /^\$\.Mounts\[\d\]\.(Mode|Propagation)$/,
  /^\$\.HostConfig\.SecurityOpt$/,
  // By default logs are bounded here.
  /^\$\.HostConfig\.LogConfig\.Config/,
];

t.test('containers are inspected with the keys, types and values of dockerd', { skip }, async (t) => {
  const subject = await openSubject(t);
  const { socket, directory } = subject;
  await subject.output(['network', 'create', '--subnet', '10.66.5.0/24', 'net']);
  const expected = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, unknown>;
  for (const { name, body, start } of inspectedContainers) {
    const created = await call(socket, `POST /v1.45/containers/create?name=${name}`, { body });
    t.equal(created.status, 201, created.text);
    if (start) t.equal((await call(socket, `POST /v1.45/containers/${name}/start`)).status, 204);
    const { json } = await call(socket, `GET /v1.45/containers/${name}/json`);
    if (recording) expected[name] = json;
    t.same(differences({ expected: expected[name], found: json, own }), [], name);
    await subject.output(['rm', '-fv', name]);
  }
  const recorded = JSON.stringify(expected, null, 2).replaceAll(directory, '/dockerd');
  if (recording) writeFileSync(fixture, `${recorded}\n`);
  await subject.output(['network', 'rm', 'net']);
});
