import t from 'tap';
import { logAttributes } from '../../../guest/logs/log-attributes.ts';
import { parseLogOptions } from '../../../guest/logs/log-options.ts';

t.test('logs are bounded whatever is asked for', async (t) => {
  t.match(parseLogOptions('json-file', {}), { maxBytes: 10e6, maxFiles: 3, compress: false });
  t.match(parseLogOptions('local', {}), { maxBytes: 20 * 1024 ** 2, maxFiles: 5, compress: true });
  t.match(parseLogOptions('json-file', { 'max-size': '1.5m', 'max-file': '2', compress: 'true' }), {
    maxBytes: 1.5e6,
    maxFiles: 2,
    compress: true,
  });
  t.equal(parseLogOptions('none', { anything: 'goes' }), null);
  t.match(parseLogOptions('local', { mode: 'non-blocking', 'max-buffer-size': '4m' }), { driver: 'local' });
});

const refused: readonly (readonly [string, Record<string, string>, RegExp])[] = [
  ['syslog', {}, /logger: no log driver named 'syslog' is registered/],
  ['json-file', { foo: 'x' }, /unknown log opt 'foo' for json-file log driver/],
  ['local', { foo: 'x' }, /unknown log opt 'foo' for log driver local/],
  ['json-file', { 'max-size': '-1' }, /max-size must be a positive number/],
  ['json-file', { 'max-size': '0' }, /max-size must be a positive number/],
  ['json-file', { 'max-size': '10x' }, /invalid max-size '10x'/],
  ['json-file', { 'max-file': '0' }, /max-file cannot be less than 1/],
  ['json-file', { 'max-file': 'many' }, /invalid max-file 'many'/],
  ['json-file', { compress: 'maybe' }, /invalid compress 'maybe'/],
  [
    'json-file',
    { compress: 'true', 'max-file': '1' },
    /compress cannot be true when max-file is less than 2/,
  ],
  ['local', { 'max-file': '1' }, /compression cannot be enabled when max file count is 1/],
  ['json-file', { mode: 'fast' }, /logging mode not supported: fast/],
  ['nosuch', {}, /error looking up logging plugin nosuch: plugin "nosuch" not found/],
  ['json-file', { mode: 'non-blocking', 'max-buffer-size': 'much' }, /invalid size: 'much'/],
  ['json-file', { 'max-buffer-size': '1m' }, /only supported with 'mode=non-blocking'/],
];

for (const [driver, options, message] of refused) {
  t.test(`${driver} with ${JSON.stringify(options)} is refused`, async (t) => {
    t.throws(() => parseLogOptions(driver, options), { message, httpStatus: 400 });
  });
}

const container = {
  id: '0123456789abcdef',
  name: 'web',
  imageId: 'sha256:fedcba9876543210',
  imageName: 'busybox:latest',
  command: ['sh', '-c', 'true'],
  labels: { tier: 'front', 'com.example.a': '1', other: '2' },
  env: ['PATH=/bin', 'A=1=2', 'B'],
};

t.test('labels, variables and a tag go with each line', async (t) => {
  t.equal(logAttributes({}, container), null);
  t.equal(logAttributes({ labels: 'none,of,these' }, container), null);
  t.same(logAttributes({ labels: 'tier', 'labels-regex': '^com\\.', env: 'A,B' }, container), {
    tier: 'front',
    'com.example.a': '1',
    A: '1=2',
  });
  t.same(logAttributes({ 'env-regex': '^P', tag: '{{.Name}}/{{ .ID }}/{{.ImageName}}' }, container), {
    PATH: '/bin',
    tag: 'web/0123456789ab/busybox:latest',
  });
  t.throws(() => logAttributes({ tag: '{{.Nope}}' }, container), /it may hold \{\{\.ID\}\}/);
  t.throws(() => logAttributes({ 'env-regex': '(' }, container), /invalid regular expression/);
});
