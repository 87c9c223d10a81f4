import t from 'tap';
import { inStartOrder } from '../../../guest/containers/start-order.ts';
import { hostConfig } from '../../../guest/schema/container.ts';

const container = (id: string, host: object = {}) => ({
  record: { id, name: `name-${id}`, hostConfig: hostConfig.parse(host) },
});
const order = (...containers: ReturnType<typeof container>[]) =>
  inStartOrder(containers)
    .map(({ record }) => record.id)
    .join('');

t.test('who needs others starts after them', async (t) => {
  t.equal(order(container('a'), container('b')), 'ab');
  t.equal(order(container('a', { NetworkMode: 'container:b' }), container('b')), 'ba');
  t.equal(
    order(
      container('a', { PidMode: 'container:c' }),
      container('b', { Links: ['/name-a:alias'] }),
      container('c', { IpcMode: 'container:d', Links: ['gone:x'] }),
      container('d', { NetworkMode: 'host' }),
    ),
    'dcab',
  );
});

t.test('a circle ends', async (t) => {
  t.equal(
    order(container('a', { PidMode: 'container:b' }), container('b', { PidMode: 'container:a' })),
    'ba',
  );
});
