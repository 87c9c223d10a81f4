import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { hostNamesRoutes } from '../../../../guest/api/routes/host-names.ts';
import { responseCode } from '../../../../guest/dns/message.ts';
import { HostStream } from '../../../../guest/network/dns/host-stream.ts';
import type { Sources } from '../../../../provisioning/supervisor/names/answer.ts';
import { SystemLookups } from '../../../../provisioning/supervisor/names/lookups.ts';
import { namesService, serveNames } from '../../../../provisioning/supervisor/names/service.ts';
import { dnsQuery, readResponse } from '../../../helpers/dns-messages.ts';
import { machineWithApi, runService } from '../agent-api.ts';
import { pair } from './stream-pair.ts';

/** Both ends of it, joined by a pair of streams. */
function joined(t: Test, sources: Partial<Sources>, deadlineMs?: number) {
  const [ours, theirs] = pair();
  const guest = new HostStream({ expectedWithinMs: 0 });
  guest.serve(theirs);
  const ended = new AbortController();
  const serving = serveNames(
    ours,
    {
      system: { addresses: async () => ['10.0.0.1'], names: async () => 'unknown' },
      nameServers: async () => null,
      isInHostsFile: async () => false,
      ...sources,
    },
    ended.signal,
    deadlineMs === undefined ? {} : { deadlineMs },
  );
  t.teardown(async () => {
    ended.abort(new Error('the test is over'));
    await serving;
  });
  return { guest, ours };
}

t.test('the engine asks this computer by its API, which has names by itself', async (t) => {
  const guest = new HostStream({ expectedWithinMs: 5000 });
  const machine = await machineWithApi(t, hostNamesRoutes(guest));
  await runService(t, namesService, machine);
  // In every hosts file; what comes out of it is the loopback, so this computer is meant.
  const { code, answers } = readResponse((await guest.ask(dnsQuery('localhost', 1)))!);
  t.equal(code, 0);
  t.match(answers, [/host.docker.internal/]);
});

t.test('an engine that ends the connection is connected to again', async (t) => {
  const guest = new HostStream({ expectedWithinMs: 0 });
  const machine = await machineWithApi(t, hostNamesRoutes(guest));
  await runService(t, namesService, machine);
  guest.close();
  t.equal(await guest.ask(dnsQuery('localhost', 1)), null);
  const deadline = Date.now() + 10_000;
  while ((await guest.ask(dnsQuery('localhost', 1))) === null) {
    if (Date.now() > deadline) return t.fail('it did not come back');
    await delay(20);
  }
});

t.test('a resolver that does not answer, or breaks, is a failure in time', async (t) => {
  const never = joined(
    t,
    { system: { addresses: () => new Promise(() => {}), names: async () => 'unknown' } },
    30,
  );
  t.equal(responseCode((await never.guest.ask(dnsQuery('slow.test', 1)))!), 2);
  const broken = joined(t, {
    system: {
      addresses: async () => {
        throw new Error('broken');
      },
      names: async () => 'unknown',
    },
  });
  t.equal(responseCode((await broken.guest.ask(dnsQuery('bad.test', 1)))!), 2);
});

t.test('more than an engine of ours would ask at once fails at once', async (t) => {
  let asked = 0;
  const { guest } = joined(
    t,
    {
      system: {
        addresses: () => {
          asked += 1;
          return new Promise(() => {});
        },
        names: async () => 'unknown',
      },
    },
    500,
  );
  const answers = Array.from({ length: 600 }, (_, i) => guest.ask(dnsQuery(`n${i}.test`, 1)));
  t.equal(responseCode((await Promise.race(answers))!), 2);
  t.equal(asked, 512);
  await Promise.all(answers);
});

t.test('bytes that are no messages are passed over', async (t) => {
  const { guest, ours } = joined(t, {});
  ours.unshift(Buffer.from([0, 3, 1, 2, 3, 0, 0]));
  t.match(readResponse((await guest.ask(dnsQuery('web.test', 1)))!), { answers: ['10.0.0.1'] });
});

t.test('one question that is asked twice at once is looked up once', async (t) => {
  const lookups = new SystemLookups();
  const first = lookups.addresses('localhost');
  t.equal(lookups.addresses('localhost'), first);
  const found = await first;
  t.ok(typeof found !== 'string' && found.length > 0);
  t.not(lookups.addresses('localhost'), first, 'and later anew');
  t.equal(await lookups.addresses('no-such-name.invalid').then((it) => typeof it), 'string');
});
