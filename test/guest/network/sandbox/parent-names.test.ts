import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newNetwork } from '../../../../guest/network/definition/network-request.ts';
import type { EndpointRecord } from '../../../../guest/network/endpoint.ts';
import { NetworkRecords } from '../../../../guest/network/network-records.ts';
import { ParentNames } from '../../../../guest/network/sandbox/parent-names.ts';
import { openDatabase } from '../../../../guest/store/database.ts';

t.test('containers on a parent have one another in their hosts files, while they are there', async (t) => {
  const directory = t.testdir({});
  const db = openDatabase(join(directory, 'engine.db'));
  t.teardown(() => db.close());
  const records = new NetworkRecords(db);
  const request = { internal: false, attachable: false, labels: {}, options: {}, addressing: [] };
  const network = newNetwork(
    { name: 'lan', driver: 'macvlan', enableIpv4: true, enableIpv6: false, ...request },
    [],
    { routes: [], links: new Set(), firstPool: 0 },
  );
  records.saveNetwork(network);
  const names = new ParentNames(records);
  const file = (id: string) => join(directory, id, 'hosts');
  const arrive = (id: string, address: string) => {
    mkdirSync(join(directory, id));
    writeFileSync(file(id), `${address}\t${id}\n`);
    const endpoint: EndpointRecord = {
      endpointId: id,
      networkId: network.id,
      networkName: 'lan',
      networkDriver: 'macvlan',
      containerId: id,
      containerName: `/${id}`,
      position: 0,
      link: {
        kind: 'child',
        hostName: 'v',
        interfaceName: 'eth0',
        macAddress: '',
        routedByParent: false,
        ipv4: { address, prefixLength: 24, gateway: null, publishing: 'none' },
        ipv6: null,
      },
      asked: {},
      dnsNames: [id, `${id}-alias`],
    };
    const sandbox = { ports: [], wantedPorts: [], exposedPorts: [], nameservers: [] };
    records.saveSandbox({ containerId: id, directory: join(directory, id), ...sandbox }, [endpoint]);
    return endpoint;
  };
  const web = arrive('web', '10.0.0.2');
  await names.introduce(web);
  const db2 = arrive('db', '10.0.0.3');
  await names.introduce(db2);
  t.equal(readFileSync(file('web'), 'utf8'), '10.0.0.2\tweb\n10.0.0.3\tdb db-alias\n');
  t.equal(readFileSync(file('db'), 'utf8'), '10.0.0.3\tdb\n10.0.0.2\tweb web-alias\n');
  await names.part(web);
  t.equal(readFileSync(file('db'), 'utf8'), '10.0.0.3\tdb\n');
  t.equal(readFileSync(file('web'), 'utf8'), '10.0.0.2\tweb\n');
});
