import t from 'tap';
import type { ContainerRecord } from '../../../guest/containers/container-record.ts';
import type { Neighbours } from '../../../guest/containers/dependencies.ts';
import { checkLinks } from '../../../guest/containers/links.ts';
import { NotFound } from '../../../guest/errors.ts';
import { hostConfig } from '../../../guest/schema/container.ts';

/** Containers by name, with their network modes. */
function neighbours(modes: Readonly<Record<string, string>>): Neighbours {
  return {
    recordOf(name) {
      const NetworkMode = modes[name];
      if (NetworkMode === undefined) throw new NotFound(`No such container: ${name}`);
      return { id: name, hostConfig: hostConfig.parse({ NetworkMode }) } as ContainerRecord;
    },
    find: () => undefined,
    liveRecords: () => [],
    runningPid(name) {
      throw new NotFound(`No such container: ${name}`);
    },
  };
}

const check = (modes: Readonly<Record<string, string>>, ...Links: string[]) =>
  checkLinks(hostConfig.parse({ Links }), neighbours(modes));

t.test('a link to a container that shares a network is one to whose network that is', async (t) => {
  t.doesNotThrow(() => check({ a: 'container:b', b: 'container:c', c: 'bridge' }, 'a:alias'));
  t.throws(
    () => check({ a: 'container:b', b: 'host' }, 'a'),
    /host type networking can't be used with links/,
  );
});

t.test('who is not there, or shares in a circle, cannot be linked to', async (t) => {
  t.throws(() => check({}, 'a'), { httpStatus: 400, message: /could not get container for a/ });
  for (const modes of [{ a: 'container:a' }, { a: 'container:b', b: 'container:a' }])
    t.throws(() => check(modes, 'a'), {
      httpStatus: 400,
      message: /its network is its own by way of others/,
    });
});
