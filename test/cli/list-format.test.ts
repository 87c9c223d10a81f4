import t from 'tap';
import { parseFilters } from '../../cli/list/filters.ts';
import { defaultListFormat, formatList } from '../../cli/list/list-format.ts';
import type { ListedMachine } from '../../cli/list/list-machines.ts';
import { exampleHostOptions } from '../provisioning/example-record.ts';

function listed(change: Partial<ListedMachine> = {}): ListedMachine {
  const { EngineOptions, SwarmOptions } = exampleHostOptions();
  return {
    Name: 'dev',
    Active: '-',
    ActiveHost: false,
    ActiveSwarm: false,
    DriverName: 'qemu',
    State: 'Running',
    URL: 'tcp://127.0.0.1:2376',
    Swarm: '',
    SwarmOptions,
    EngineOptions,
    DockerVersion: 'v0.1.0',
    Error: '',
    ResponseTime: 3,
    ...change,
  };
}

t.test('the table is docker-machine’s', async (t) => {
  const stopped = { Name: 'a-longer-name', State: 'Stopped', URL: '', DockerVersion: '' } as const;
  t.equal(
    formatList([listed({ Active: '*' }), listed(stopped)], defaultListFormat),
    [
      'NAME            ACTIVE   DRIVER   STATE     URL                    SWARM   DOCKER   ERRORS',
      'dev             *        qemu     Running   tcp://127.0.0.1:2376           v0.1.0',
      'a-longer-name   -        qemu     Stopped',
      '',
    ].join('\n'),
  );
  t.equal(formatList([], defaultListFormat).split('\n').length, 2, 'the header stands alone');
});

t.test('other templates make lines, and tables of other columns', async (t) => {
  t.equal(formatList([listed()], '{{.Name}}\\t{{.State}}'), 'dev\tRunning\n');
  t.equal(
    formatList([listed()], 'table {{.Name}}\\t{{.ResponseTime}}\\t{{.EngineOptions.Labels}}'),
    'NAME   RESPONSE   ENGINE_OPTIONS\ndev    3          [a=b]\n',
  );
});

t.test('of filters with one key one must hold, of different keys all', async (t) => {
  const matches = (...filters: string[]) => parseFilters(filters)(listed());
  t.ok(matches());
  t.ok(matches('name=^d', 'driver=qemu', 'state=running', 'label=a=b'));
  t.ok(matches('driver=fake', 'driver=qemu'));
  t.notOk(matches('driver=fake', 'state=running'));
  t.notOk(matches('label=a=c'));
  t.notOk(matches('name=^x'));
  t.ok(matches('swarm='));
  t.throws(() => parseFilters(['colour=red']), {
    message: /unsupported filter "colour=red"; there are swarm=…/,
  });
  t.throws(() => parseFilters(['nonsense']), { message: /unsupported filter/ });
  t.throws(() => parseFilters(['name=(']), { message: /not a regular expression/ });
});
