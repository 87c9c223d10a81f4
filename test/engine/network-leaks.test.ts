import { readdirSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { run } from '../../guest/host/exec.ts';
import { defaultNetworkOptions, openNetworks } from '../../guest/network/index.ts';
import { makeNamespace } from '../../guest/network/links/network-namespace.ts';
import type { SandboxRequest } from '../../guest/network/network-manager.ts';
import { networkNamed } from '../helpers/network-named.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { fetch, links, open, rules, serve } from './network-lab.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) t.plan(0, cannot);
t.setTimeout(300_000);

t.test('rules of others are left alone, and a flush of everything is mended', async (t) => {
  await run('nft', ['-f', '-'], { input: 'table inet foreign { chain c { counter; }; }\n' });
  t.teardown(() => run('nft', ['delete', 'table', 'inet', 'foreign']));
  const { connect } = await open(t);
  const web = await connect('web', { portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  t.match(await rules(), 'table inet foreign');
  await serve(t, web, 80, 'hello');
  await run('nft', ['delete', 'table', 'inet', 'machine_docker0']);
  await connect('other', { portBindings: { '80/tcp': [{ HostPort: '8082' }] } });
  t.equal(await fetch('127.0.0.1:8080'), 'hello');
});

t.test('a restarted engine keeps what lives and removes the rest', async (t) => {
  const { connect, db } = await open(t);
  const web = await connect('web', { portBindings: { '80/tcp': [{ HostPort: '8080' }] } });
  await serve(t, web, 80, 'hello');
  await connect('dead', { portBindings: { '80/tcp': [{ HostPort: '8089' }] } });
  // The first engine's sockets stay bound in this process, as nobody's would after a crash.
  const { sandboxes } = await openNetworks(
    db,
    { ...defaultNetworkOptions, spareSandboxes: 0 },
    { publish() {} },
  );
  await sandboxes.reconcile(['web']);
  t.match(sandboxes.inspectSandbox('web')!.ports, { '80/tcp': [{ HostPort: '8080' }] });
  t.equal(sandboxes.inspectSandbox('dead'), null);
  t.equal(await fetch('127.0.0.1:8080'), 'hello');
  t.notMatch(await rules(), '8089');
  await sandboxes.releaseSandbox('web');
  t.notMatch(await rules(), '8080');
});

t.test('after 200 starts and stops no rule, link, namespace or address is left', async (t) => {
  const { connect, request, sandboxes, networks } = await open(t, { spareSandboxes: 2 });
  const six = await networks.create(networkNamed('six', { enableIpv6: true }));
  // The namespace is this process's to hold; there is no container.
  const live = (id: string, endpoints: SandboxRequest['endpoints']) => ({
    ...request(id, { endpoints }),
    pid: 0,
  });
  // Those that this process holds; a container's own processes would hold it too, but there are none.
  const namespaces = () =>
    readdirSync('/proc/self/fd').filter((fd) => linkText(`/proc/self/fd/${fd}`).startsWith('net:')).length;
  await connect('first', { portBindings: { '80/tcp': [{}] } });
  await sandboxes.connectNetwork(live('first', { bridge: {}, six: {} }), six.id);
  await sandboxes.releaseSandbox('first');
  const before = { rules: await rules() };
  for (let i = 0; i < 20; i++) {
    const ids = Array.from({ length: 10 }, (_, n) => `c${n}`);
    await Promise.all(ids.map((id) => connect(id, { portBindings: { '80/tcp': [{}] } })));
    // Of some, in some rounds: each costs processes.
    const joining = i % 10 === 0 ? ids : [];
    await Promise.all(
      joining.map((id) => sandboxes.connectNetwork(live(id, { bridge: {}, six: {} }), six.id)),
    );
    await Promise.all(
      joining.slice(5).map((id) => sandboxes.disconnectNetwork(live(id, { bridge: {} }), six.id)),
    );
    await Promise.all(ids.map((id) => sandboxes.releaseSandbox(id)));
  }
  t.equal(await rules(), before.rules);
  for (const network of networks.list()) t.same(networks.endpoints(network), []);
  await sandboxes.close();
  // The kernel frees namespaces in the background; one more made and freed comes after all of them.
  const last = await makeNamespace(async () => ({ renames: [], sysctls: [], rules: null, batch: '' }));
  last.release();
  await run('sh', [
    '-c',
    'for i in $(seq 100); do ip -br link | grep -q veth || exit 0; sleep 0.1; done; exit 1',
  ]);
  t.notMatch(await links(), /veth|docker0/);
  t.notMatch(await rules(), 'machine_');
  t.equal(namespaces(), 0);
});

/** Empty for a descriptor that is closed by now. */
function linkText(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
