import t from 'tap';
import { AskingBounds } from '../../../../guest/network/dns/asking-bounds.ts';

t.test('who has waited for too long is not asked for any more', async (t) => {
  const clock = { ms: 0 };
  const bounds = new AskingBounds(() => clock.ms);
  const answers: ((answer: string) => void)[] = [];
  const ask = () => new Promise<string>((resolve) => answers.push(resolve));
  const first = Array.from({ length: 4 }, () => bounds.within('one', ask));
  const late = bounds.within('one', ask);
  clock.ms = 3000;
  const inTime = bounds.within('one', ask);
  clock.ms = 4500;
  answers[0]!('a');
  t.equal(await first[0], 'a');
  t.equal(await late, null);
  t.equal(answers.length, 5, 'its place is the next one’s at once');
  for (const answer of answers) answer('b');
  t.equal(await inTime, 'b');
  t.same(await Promise.all(first.slice(1)), ['b', 'b', 'b']);
});
