import t from 'tap';
import { layerStatus, type ProgressLine, progressBar } from '../../../guest/registry/progress.ts';

const digest = `sha256:${'0123456789ab'.padEnd(64, 'f')}`;

t.test('a bar is told ten times a second and at its end', async (t) => {
  const lines: ProgressLine[] = [];
  let now = 0;
  const bar = progressBar(
    (line) => lines.push(line),
    { digest, status: 'Pushing', total: 100 },
    () => now,
  );
  for (const [at, current] of [
    [0, 10],
    [50, 20],
    [100, 30],
    [110, 100],
  ] as const) {
    now = at;
    bar(current);
  }
  t.same(
    lines.map(({ progressDetail }) => progressDetail?.current),
    [10, 30, 100],
  );
  t.same(lines[0], { status: 'Pushing', progressDetail: { current: 10, total: 100 }, id: '0123456789ab' });
  t.same(layerStatus(digest, 'Waiting'), { status: 'Waiting', progressDetail: {}, id: '0123456789ab' });
});
