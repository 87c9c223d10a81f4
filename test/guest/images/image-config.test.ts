import t from 'tap';
import { parseImageConfig } from '../../../guest/images/image-config.ts';

const parse = (value: unknown) => parseImageConfig(Buffer.from(JSON.stringify(value)));
const diffId = `sha256:${'a'.repeat(64)}`;

t.test('what old builders left out or wrote as null is taken for absent', async (t) => {
  t.same(parse({ rootfs: {} }), { architecture: '', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } });
  const config = parse({
    architecture: 'amd64',
    os: 'linux',
    container: 'unknown members are left out',
    config: { Env: null, Cmd: 'a string', Entrypoint: ['x'], Image: '', Labels: {}, OnBuild: null },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: null, created_by: 'x', empty_layer: true }],
  });
  t.same(config.config, { Cmd: ['a string'], Entrypoint: ['x'], Labels: {} });
  t.same(config.history, [{ created_by: 'x', empty_layer: true }]);
});

t.test('hostile configurations are refused with the member that is wrong', async (t) => {
  const table: [unknown, RegExp][] = [
    [null, /document/],
    [{}, /rootfs/],
    [{ rootfs: { diff_ids: ['../../etc'] } }, /rootfs.diff_ids.0/],
    [{ rootfs: {}, config: { Env: [1] } }, /config.Env/],
    [{ rootfs: {}, config: { Labels: { a: 1 } } }, /config.Labels/],
    [{ rootfs: {}, history: 'x' }, /history/],
  ];
  for (const [value, message] of table) t.throws(() => parse(value), { name: 'InvalidParameter', message });
  t.throws(() => parseImageConfig(Buffer.from('{')), /not JSON/);
  t.throws(() => parseImageConfig(Buffer.alloc(9 * 1024 * 1024)), /too large/);
  parseImageConfig(
    Buffer.from('{"rootfs":{},"__proto__":{"polluted":1},"config":{"__proto__":{"User":"x"}}}'),
  );
  t.equal(({} as { polluted?: number }).polluted, undefined);
});
