import t from 'tap';
import { type PortBindings, portMap, portRequests } from '../../../../guest/network/ports/ports.ts';

function requests(bindings: PortBindings, exposed: string[] = [], publishAll = false) {
  return portRequests({ bindings, exposed, publishAll, defaultAddresses: ['0.0.0.0', '::'] });
}

t.test('bindings become requests: a port, a range, or any port', async (t) => {
  const container = { containerPort: 80, protocol: 'tcp' };
  t.strictSame(
    requests({
      '80/tcp': [{ HostPort: '8080' }, { HostIp: '127.0.0.1', HostPort: '9000-9010' }, { HostPort: '' }],
    }),
    [
      { ...container, hostAddresses: ['0.0.0.0', '::'], hostPorts: { first: 8080, last: 8080 } },
      { ...container, hostAddresses: ['127.0.0.1'], hostPorts: { first: 9000, last: 9010 } },
      { ...container, hostAddresses: ['0.0.0.0', '::'], hostPorts: null },
    ],
  );
  t.strictSame(requests({ '53/udp': null }), [
    { containerPort: 53, protocol: 'udp', hostAddresses: ['0.0.0.0', '::'], hostPorts: null },
  ]);
});

t.test('publishing all adds the exposed ports that have no binding', async (t) => {
  const all = requests({ '80/tcp': [{ HostPort: '8080' }] }, ['80/tcp', '80/udp', '443/tcp'], true);
  t.strictSame(
    all.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`),
    ['80/tcp', '80/udp', '443/tcp'],
  );
  t.equal(requests({}, ['80/tcp']).length, 0);
});

t.test('what cannot be published is refused with its own words', async (t) => {
  const refused: [PortBindings, RegExp][] = [
    [{ '80/dccp': [{}] }, /invalid proto: dccp/],
    [{ '0/tcp': [{}] }, /invalid port specification: "0\/tcp"/],
    [{ 'x/tcp': [{}] }, /invalid port specification/],
    [{ '70000/tcp': [{}] }, /invalid port specification/],
    [{ '80/tcp': [{ HostPort: '90-80' }] }, /invalid hostPort: "90-80"/],
    [{ '80/tcp': [{ HostPort: '-1' }] }, /invalid hostPort/],
    [{ '80/tcp': [{ HostIp: 'fe80::1%eth0' }] }, /invalid host address/],
    [{ '80/tcp': [{ HostIp: 'localhost' }] }, /invalid host address "localhost"/],
  ];
  for (const [bindings, message] of refused) {
    t.throws(() => requests(bindings), { name: 'InvalidParameter', message }, JSON.stringify(bindings));
  }
});

t.test('inspect shows published ports, and null for those only exposed', async (t) => {
  const port = { containerPort: 80, protocol: 'tcp', hostAddress: '0.0.0.0' } as const;
  const map = portMap(
    [
      { ...port, hostPort: 8080 },
      { ...port, hostPort: 8081 },
    ],
    ['80/tcp', '443/tcp'],
  );
  t.strictSame(map, {
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '0.0.0.0', HostPort: '8081' },
    ],
    '443/tcp': null,
  });
});

t.test('a port is one, whether or not its protocol was said', async (t) => {
  const port = { containerPort: 80, protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080 } as const;
  t.strictSame(portMap([], ['80', '80/tcp', '443', '53/udp']), {
    '80/tcp': null,
    '443/tcp': null,
    '53/udp': null,
  });
  t.strictSame(portMap([port], ['80']), { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] });
});

t.test('without an address, it is the loopback of the host in front', async (t) => {
  const bindings = { '80/tcp': [{ HostPort: '8080' }, { HostIp: '0.0.0.0', HostPort: '8081' }] };
  const options = { bindings, exposed: ['81/tcp'], publishAll: true, defaultAddresses: ['0.0.0.0'] };
  const ports = portRequests({ ...options, forwarded: true });
  t.strictSame(
    ports.map(({ hostAddresses, byDefault }) => [...hostAddresses, byDefault]),
    [
      ['0.0.0.0', true],
      ['0.0.0.0', undefined],
      ['0.0.0.0', true],
    ],
  );
  const port = { containerPort: 80, protocol: 'tcp', hostAddress: '0.0.0.0' } as const;
  t.strictSame(
    portMap(
      [
        { ...port, hostPort: 8080, byDefault: true },
        { ...port, hostPort: 8081 },
      ],
      [],
    )['80/tcp'],
    [
      { HostIp: '127.0.0.1', HostPort: '8080' },
      { HostIp: '0.0.0.0', HostPort: '8081' },
    ],
  );
});
