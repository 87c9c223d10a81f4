import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Test } from 'tap';
import { run, tryRun } from '../../guest/host/exec.ts';
import { defaultNetworkOptions, openNetworks } from '../../guest/network/index.ts';
import { makeNamespace } from '../../guest/network/links/network-namespace.ts';
import type { Sandbox, SandboxRequest } from '../../guest/network/network-manager.ts';
import { openDatabase } from '../../guest/store/database.ts';

export async function open(
  t: Test,
  options: { spareSandboxes?: number; directory?: string; publishThrough?: string } = {},
) {
  const directory = options.directory ?? t.testdir({});
  const db = openDatabase(join(directory, 'engine.db'));
  const events = { publish: () => {} };
  const { sandboxes, networks } = await openNetworks(
    db,
    {
      ...defaultNetworkOptions,
      spareSandboxes: options.spareSandboxes ?? 0,
      publishThrough: options.publishThrough ?? null,
    },
    events,
  );
  await sandboxes.reconcile([]);
  const connected = new Set<string>();
  t.teardown(async () => {
    for (const containerId of connected) await sandboxes.releaseSandbox(containerId);
    await sandboxes.close();
    db.close();
  });
  const request = (containerId: string, more: Partial<SandboxRequest> = {}): SandboxRequest => ({
    containerId,
    containerName: `/${containerId}`,
    hostname: containerId,
    mode: 'default',
    endpoints: {},
    portBindings: {},
    exposedPorts: [],
    publishAllPorts: false,
    dns: { servers: [], search: [], options: [] },
    extraHosts: [],
    linkedHosts: [],
    directory: join(directory, 'containers', containerId),
    ...more,
  });
  const connect = (containerId: string, more: Partial<SandboxRequest> = {}) => {
    connected.add(containerId);
    return sandboxes.connectSandbox(request(containerId, more));
  };
  return { sandboxes, networks, request, connect, directory, db };
}

/** Answers every connection with `word`, inside a sandbox. */
export async function serve(t: Test, sandbox: Sandbox, port: number, word: string): Promise<ChildProcess> {
  const listen = `socat TCP6-LISTEN:${port},ipv6only=0,fork,reuseaddr SYSTEM:'echo ${word}' & echo ready; wait`;
  const server = spawn('busybox', ['nsenter', `-n${pathOf(sandbox)}`, 'sh', '-c', listen], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  t.teardown(() => process.kill(-server.pid!, 'SIGKILL'));
  await once(server.stdout!, 'data');
  await run('busybox', ['nsenter', `-n${pathOf(sandbox)}`, 'sh', '-c', waitFor(`127.0.0.1:${port}`)]);
  return server;
}

/** socat tries again each tenth of a second, a hundred times at most. */
export function waitFor(address: string): string {
  return `socat -u OPEN:/dev/null TCP:${address},retry=100,interval=0.1`;
}

/** What a connection from here, or from inside a namespace, brings; null when it is refused or dropped. */
export async function fetch(address: string, path?: string): Promise<string | null> {
  const command = ['socat', '-T1', '-', `TCP:${address},connect-timeout=1`];
  const [file, ...args] = path === undefined ? command : ['busybox', 'nsenter', `-n${path}`, ...command];
  const { exitCode, stdout } = await tryRun(file!, args);
  return exitCode === 0 ? stdout.toString().trim() : null;
}

export function pathOf(sandbox: Sandbox): string {
  if (sandbox.namespace.kind !== 'path') throw new Error(`namespace is ${sandbox.namespace.kind}`);
  return sandbox.namespace.path;
}

export function addressOf(sandbox: Sandbox): string {
  return sandbox.networks.bridge!.IPAddress;
}

export async function links(): Promise<string> {
  return (await run('ip', ['-br', 'link'])).stdout.toString();
}

export async function rules(): Promise<string> {
  return (await run('nft', ['list', 'ruleset'])).stdout.toString();
}

/** What busybox's nslookup finds from inside; null when there is no such name. */
export async function lookUp(
  sandbox: Sandbox,
  name: string,
  server = '127.0.0.11',
): Promise<string[] | null> {
  const args = ['nsenter', `-n${pathOf(sandbox)}`, 'busybox', 'nslookup', name, server];
  const { exitCode, stdout } = await tryRun('busybox', args);
  const answers = stdout.toString().split('\n\n').slice(1).join('\n');
  if (exitCode !== 0) return null;
  return [...answers.matchAll(/(?:Address|name) ?[:=] ?(\S+)/g)].map((match) => match[1]!).sort();
}

/** A host next door, 10.99.0.2 and fd99::2, to which this one is 10.99.0.1 and fd99::1. */
export function neighbour() {
  return makeNamespace(async (path) => {
    const batch = `link add lan type veth peer name eth0 netns ${path}\naddr add 10.99.0.1/24 dev lan\naddr add fd99::1/64 dev lan nodad\nlink set lan up\n`;
    await run('ip', ['-batch', '-'], { input: batch });
    const inside =
      'link set lo up\naddr add 10.99.0.2/24 dev eth0\naddr add fd99::2/64 dev eth0 nodad\nlink set eth0 up\n';
    return { renames: [], sysctls: [], rules: null, batch: inside };
  });
}

/** In ss's own words, without connecting. */
export function waitForListener(port: number): string {
  return `for i in $(seq 100); do ss -Hltn sport = :${port} | grep -q . && break; sleep 0.1; done`;
}

/** In another network, the way to addresses of ours. */
export async function addRoute(path: string, subnet: string, via: string): Promise<void> {
  await run('busybox', ['nsenter', `-n${path}`, 'ip', 'route', 'add', subnet, 'via', via]);
}
