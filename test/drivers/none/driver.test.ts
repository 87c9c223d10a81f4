import t from 'tap';
import { PreCreateError } from '../../../drivers/errors.ts';
import { NoneDriver } from '../../../drivers/none/driver.ts';
import { testDriver } from '../../conformance/driver.ts';

t.test('driver none keeps the promises of a driver', (t) =>
  testDriver(t, { driver: new NoneDriver(), options: { url: 'tcp://10.0.0.5:2376' }, deadlineMs: 1000 }),
);

const request = (url?: string) => ({
  name: 'n',
  directory: '/nowhere',
  options: url === undefined ? {} : { url },
  osImage: null,
});

t.test('a URL that is not an API address is refused', async (t) => {
  const driver = new NoneDriver();
  for (const url of ['', 'http://h:1', 'tcp://h', 'tcp://:2376', 'tcp://h:1/path', 'tcp://u@h:1', 'nonsense'])
    await t.rejects(driver.preCreate(request(url)), PreCreateError, url);
  await t.rejects(driver.preCreate(request()), /needs --url/);
});

t.test('an IPv6 address is known without its brackets', async (t) => {
  const state = await new NoneDriver().create(request('tcp://[fd00::1]:2376'), async () => {});
  t.same(await new NoneDriver().endpoints({ name: 'n', directory: '/nowhere', state }), {
    url: 'tcp://[fd00::1]:2376',
    ip: 'fd00::1',
  });
});
