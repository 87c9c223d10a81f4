import { writeFile } from 'node:fs/promises';
import type { Test } from 'tap';
import type { Route } from '../../../guest/api/handler.ts';
import { createApiServer } from '../../../guest/api/server.ts';
import { noLog } from '../../../guest/log.ts';
import { issueAuthority, issueClient, issueServer } from '../../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../../provisioning/certs/key-pair.ts';
import type { Machine } from '../../../provisioning/machine.ts';
import type { Service } from '../../../provisioning/supervisor/service.ts';
import { Sleep } from '../../../provisioning/supervisor/sleep.ts';
import { supervisedMachine } from './supervised-machine.ts';

const key = await rsaPrivateKey(2048);
const authority = issueAuthority({ key });
const certificate = issueServer({ authority, key, names: ['127.0.0.1'], commonName: 'dev' });
const client = issueClient({ authority, key });

/** A machine of the fake driver whose API has only these routes. */
export async function machineWithApi(t: Test, routes: Route[]): Promise<Machine> {
  const api = createApiServer({ routes, log: noLog });
  t.teardown(() => api.close());
  const port = await api.listenTls('127.0.0.1', 0, { ca: authority.cert, ...certificate });
  const { machine } = await supervisedMachine(t);
  await writeFile(machine.paths.ca, authority.cert);
  await writeFile(machine.paths.cert, client.cert);
  await writeFile(machine.paths.key, client.key);
  const driver = Object.assign(machine.driver, {
    endpoints: async () => ({ url: `tcp://127.0.0.1:${port}`, ip: '127.0.0.1' }),
  });
  return { ...machine, driver };
}

/** Runs a service until the test's end; resolves when it is ready, with what it says of errors. */
export async function runService(t: Test, service: Service, machine: Machine): Promise<string[]> {
  const ended = new AbortController();
  const errors: string[] = [];
  const log = { info: () => {}, error: (text: string) => errors.push(text) };
  await new Promise<void>((ready, failed) => {
    const running = service.run({ machine, signal: ended.signal, sleep: new Sleep(), log, ready });
    running.catch(failed);
    t.teardown(async () => {
      ended.abort(new Error('the test is over'));
      await running.catch(() => {});
    });
  });
  return errors;
}
