import t from 'tap';
import { call } from '../compat/http.ts';
import { seeded } from '../helpers/random.ts';
import { anyRequest } from './api-requests.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;
const seconds = Number(process.env.MACHINE_FUZZ_SECONDS ?? 20);
/** Another one is tried by MACHINE_FUZZ_SEED; what failed is found again by its own. */
const seed = Number(process.env.MACHINE_FUZZ_SEED ?? 1);

t.test(
  'no request, whatever is wrong with it, ends the engine or is left without answer',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    const { pid } = engine;
    let unheard = '';
    void engine.logged('nobody cared').then(() => {
      unheard = 'a promise was rejected and nobody cared';
    });
    const random = seeded(seed);
    const failures = new Map<string, string>();
    const statuses = new Map<number, number>();
    const end = Date.now() + seconds * 1000;
    let sent = 0;
    while (Date.now() < end) {
      // The engine is to stay as it was in the eyes of the next requests.
      if (sent % 200 === 0) {
        await engine.loadBusybox();
        await engine.docker(['run', '-d', '--name', 'web', 'busybox', 'sleep', '1000']);
      }
      const { line, body } = anyRequest(random);
      sent++;
      const options =
        body === undefined ? {} : { raw: body, headers: { 'Content-Type': 'application/json' } };
      const answer = await call(engine.socket, line, options).catch((error: Error) => {
        throw new Error(`request ${sent} of seed ${seed}: ${line.slice(0, 300)}: ${error.message}`);
      });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status === 500) failures.set(answer.text.slice(0, 200), line.slice(0, 200));
    }
    t.comment(
      `${sent} requests: ${[...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')}`,
    );
    for (const [text, line] of failures) t.comment(`500 ${text.trim()}  <- ${line}`);
    t.equal(unheard, '');
    t.equal(engine.pid, pid);
    // Some requests were good ones, and removed it.
    await engine.loadBusybox();
    t.match(await engine.output(['run', '--rm', 'busybox', 'echo', 'alive']), 'alive');
  },
);
