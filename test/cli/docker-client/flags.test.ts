import t from 'tap';
import { type Flag, parseFlags } from '../../../cli/docker-client/flags.ts';

const flags: Flag[] = [
  { name: 'interactive', short: 'i', kind: 'boolean', help: '' },
  { name: 'tty', short: 't', kind: 'boolean', help: '' },
  { name: 'publish', short: 'p', kind: 'list', help: '' },
  { name: 'name', kind: 'text', help: '' },
];

t.test('flags may be clustered, joined to their values, and repeated', async (t) => {
  const parsed = parseFlags(
    ['-it', '-p80:80', '-p', '81', '-p=82', '--publish=83', '--name', 'a=b', 'x'],
    flags,
  );
  t.ok(parsed.flag('interactive') && parsed.flag('tty'));
  t.same(parsed.list('publish'), ['80:80', '81', '82', '83']);
  t.equal(parsed.text('name'), 'a=b');
  t.same(parsed.words, ['x']);
});

t.test('everything after the image belongs to the container', async (t) => {
  const parsed = parseFlags(['-i', 'busybox', 'ls', '-t', '--name'], flags, { stopAtWord: true });
  t.same(parsed.words, ['busybox', 'ls', '-t', '--name']);
  t.notOk(parsed.flag('tty'));
  t.same(parseFlags(['a', '-i', '--', '-t', '-'], flags).words, ['a', '-t', '-']);
});

t.test('a boolean can be set to false, and to nothing else', async (t) => {
  t.notOk(parseFlags(['-t', '--tty=false'], flags).flag('tty'));
  t.throws(() => parseFlags(['--tty=perhaps'], flags), { name: 'Usage' });
});

t.test('what is unknown or without its value is named', async (t) => {
  t.throws(() => parseFlags(['--gpus', 'all'], flags), { name: 'Usage', message: 'unknown flag: --gpus' });
  t.throws(() => parseFlags(['-iz'], flags), { message: 'unknown flag: -z' });
  t.throws(() => parseFlags(['--name'], flags), { message: 'flag needs an argument: --name' });
  t.throws(() => parseFlags(['-p'], flags), { message: 'flag needs an argument: -p' });
});
