/**
 * The engine against Debian's dockerd, both natively in this run, with the stock docker CLI as their client.
 * Usage: node dist/test/bench/engine/index.js [rounds] [part of the names of operations], as root, by the Node of guests (24).
 */

import { enterOwnNetwork } from '../../helpers/own-network.ts';
import { runCommand } from '../../helpers/run-command.ts';
import { interleave, row, timed } from '../measure.ts';
import { type Contender, openContenders } from './contenders.ts';
import { keepGroupMovesWarm } from './group-moves.ts';
import { judge } from './judge.ts';
import { operations } from './operations.ts';
import { RecordedAnswer } from './recorded-answer.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) throw new Error(`the bench ${cannot}`);
const rounds = Number(process.argv[2] ?? 7);
const wanted = process.argv[3] ?? '';
await using contenders = await openContenders();
const { machine, dockerd } = contenders;
const both = [machine, dockerd];

using warm = keepGroupMovesWarm();
if (warm) console.log('moves between control groups (version 1) are kept warm for both');
const alone = (await interleave(rounds, { cli: () => timed(() => runCommand('docker', ['--version'])) })).cli;
console.log(row('docker CLI alone', alone));
for (const { name, clients = 1, before, work, heavy } of operations.filter(({ name }) =>
  name.includes(wanted),
)) {
  for (const { subject } of both) await before?.(subject);
  using recorded = heavy === undefined ? null : await RecordedAnswer.of(dockerd.subject, heavy);
  const results = await interleave(rounds, {
    machine: () => timed(() => work(machine.subject)),
    dockerd: () => timed(() => work(dockerd.subject)),
    client: async () => (recorded ? timed(() => work(recorded)) : clients * alone.median),
  });
  console.log(row(`${name}: machine`, results.machine));
  console.log(row(`${name}: dockerd`, results.dockerd));
  if (recorded) console.log(row(`${name}: the client's own`, results.client));
  const [ours, theirs, floor] = [results.machine, results.dockerd, results.client].map(
    ({ median }) => median,
  );
  console.log(judge({ ours: ours!, theirs: theirs!, share: 0.6, floor: floor! }));
}

const idle = both.map(({ idleBytes }) => idleBytes);
console.log(`idle: machine ${mib(idle[0]!)}, dockerd ${mib(idle[1]!)}`);
console.log(judge({ ours: idle[0]!, theirs: idle[1]!, share: 0.85, floor: 0 }));
const perContainer = [await growth(machine), await growth(dockerd)] as const;
console.log(`a running container: machine ${mib(perContainer[0])}, dockerd ${mib(perContainer[1])}`);
console.log(judge({ ours: perContainer[0], theirs: perContainer[1], share: 0.3, floor: 0 }));

/** What twenty more containers cost the engine, each. */
async function growth({ subject, memoryBytes }: Contender): Promise<number> {
  const count = 20;
  const before = memoryBytes();
  for (let i = 0; i < count; i++) await subject.output(['run', '-d', 'busybox', 'sleep', '1000']);
  return (memoryBytes() - before) / count;
}

function mib(bytes: number): string {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}
