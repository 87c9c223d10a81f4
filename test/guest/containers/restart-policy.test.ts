import t from 'tap';
import { checkRestartPolicy, restartDelayMs, restarts } from '../../../guest/containers/restart-policy.ts';
import { hostConfig } from '../../../guest/schema/container.ts';

t.test('the pause doubles to a minute, and begins anew after a good run', async (t) => {
  const delays = [0];
  for (let i = 0; i < 12; i++) delays.push(restartDelayMs(delays[i]!, 50));
  t.same(delays.slice(1, 5), [100, 200, 400, 800]);
  t.equal(delays.at(-1), 60_000);
  t.equal(restartDelayMs(60_000, 10_000), 100);
  t.equal(restartDelayMs(400, 9_999), 800);
});

t.test('policies decide by exit code and count', async (t) => {
  const table: readonly (readonly [
    name: string,
    max: number,
    code: number,
    count: number,
    again: boolean,
  ])[] = [
    ['no', 0, 1, 0, false],
    ['always', 0, 0, 99, true],
    ['unless-stopped', 0, 0, 99, true],
    ['on-failure', 0, 0, 0, false],
    ['on-failure', 0, 1, 99, true],
    ['on-failure', 2, 1, 1, true],
    ['on-failure', 2, 1, 2, false],
  ];
  for (const [Name, MaximumRetryCount, exitCode, restartCount, again] of table)
    t.equal(restarts({ Name, MaximumRetryCount }, { exitCode, restartCount }), again, `${Name} ${exitCode}`);
});

t.test('policies that cannot be are refused', async (t) => {
  const check = (policy: object, more: object = {}) =>
    checkRestartPolicy(hostConfig.parse({ RestartPolicy: policy, ...more }));
  t.throws(() => check({ Name: 'sometimes' }), /unknown policy 'sometimes'/);
  t.throws(() => check({ Name: 'always', MaximumRetryCount: 1 }), /only be used with 'on-failure'/);
  t.throws(() => check({ Name: 'on-failure', MaximumRetryCount: -1 }), /cannot be negative/);
  t.throws(() => check({ Name: 'always' }, { AutoRemove: true }), /'AutoRemove'/);
  t.doesNotThrow(() => check({ Name: '' }));
});
