import t from 'tap';
import type { PackedModule } from '../../../images/kernel/kernel-package.ts';
import { moduleIndexes } from '../../../images/kernel/module-indexes.ts';
import { moduleName } from '../../../images/kernel/module-info.ts';
import { selectModules } from '../../../images/kernel/select-modules.ts';
import { fakeModule } from '../support/fake-module.ts';

const modules = new Map<string, PackedModule>(
  (
    [
      ['kernel/fs/top.ko', ['depends=mid-dle,low', 'alias=fs-top', 'softdep=pre: soft gone post: late']],
      ['kernel/lib/mid-dle.ko', ['depends=low']],
      ['kernel/lib/low.ko', ['depends=']],
      ['kernel/lib/soft.ko', []],
      ['kernel/lib/late.ko', ['depends=top']],
      ['kernel/net/netfilter/nf_b.ko', ['depends=nf_a', 'alias=nft-b']],
      ['kernel/net/netfilter/nf_a.ko', []],
      ['kernel/net/other.ko', []],
    ] as [string, string[]][]
  ).map(([path, info]) => [moduleName(path), { path, unpack: async () => fakeModule(info) }]),
);
const kernel = { release: '6.1', modules, builtin: new Set(['ext4']) };
const names = async (wanted: string[]) => (await selectModules(kernel, wanted)).map(({ name }) => name);

t.test('a module comes after all it depends on, hard and soft, also in a circle', async (t) => {
  t.strictSame(await names(['top']), ['low', 'mid_dle', 'soft', 'late', 'top']);
});

t.test('a directory means all that is in it', async (t) => {
  t.strictSame(await names(['net/netfilter/']), ['nf_a', 'nf_b']);
});

t.test('what is built in is skipped, and what does not exist is an error', async (t) => {
  t.strictSame(await names(['ext4']), []);
  await t.rejects(names(['nothing']), {
    name: 'FailedPrecondition',
    message: /kernel 6\.1 has no module "nothing"/,
  });
});

t.test('the indexes list dependencies the way modprobe reads them', async (t) => {
  const indexes = moduleIndexes(await selectModules(kernel, ['top', 'nf_b']));
  t.match(indexes.get('modules.dep'), 'kernel/fs/top.ko: kernel/lib/mid-dle.ko kernel/lib/low.ko\n');
  t.match(indexes.get('modules.dep'), 'kernel/lib/low.ko:\n');
  t.equal(indexes.get('modules.alias'), 'alias fs-top top\nalias nft-b nf_b\n');
  t.equal(indexes.get('modules.softdep'), 'softdep top pre: soft gone post: late\n');
});
