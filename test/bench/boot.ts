/**
 * How long a machine takes to come up: `machine create` with a cached OS image, and `machine start`.
 * Usage: node dist/test/bench/boot.js [rounds]
 */
import { MachineHarness } from '../system/machine-harness.ts';
import { row, spread, timed } from './measure.ts';

const rounds = Number(process.argv[2] ?? 5);
const harness = await MachineHarness.open();
try {
  const machine = async (...args: string[]) => {
    const { exitCode, stderr } = await harness.machine(args);
    if (exitCode !== 0) throw new Error(`machine ${args.join(' ')}: ${stderr}`);
  };
  await machine('create', 'warm-up');
  await machine('rm', '-y', '-f', 'warm-up');

  const creates: number[] = [];
  const starts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    creates.push(await timed(() => machine('create', 'bench')));
    await machine('stop', 'bench');
    starts.push(await timed(() => machine('start', 'bench')));
    await machine('rm', '-y', '-f', 'bench');
  }
  console.log(row('machine create, cached OS image', spread(creates)));
  console.log(row('machine start, to an answering API', spread(starts)));
} finally {
  await harness.close();
}
