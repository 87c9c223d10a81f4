import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  type FirewallState,
  renderPortAddition,
  renderPortRemoval,
  renderRuleset,
} from '../../../../guest/network/firewall/ruleset.ts';

const everyAddress = {
  hostAddress: '0.0.0.0',
  hostPort: 8080,
  containerPort: 80,
  protocol: 'tcp',
  containerAddress: '172.17.0.2',
} as const;
const loopback = { ...everyAddress, hostAddress: '127.0.0.1', hostPort: 5353, protocol: 'udp' } as const;
const six = { ...everyAddress, hostAddress: '::', containerAddress: 'fd00::2' } as const;
const through = {
  containerAddress: '172.17.0.2',
  containerPort: 80,
  protocol: 'tcp',
  throughPort: 9,
} as const;
const open = { containerAddress: 'fd00::2', containerPort: 80, protocol: 'sctp' } as const;

const state: FirewallState = {
  table: 'machine_docker0',
  bridges: [
    {
      linkName: 'docker0',
      subnets: ['172.17.0.0/16'],
      internal: false,
      interContainer: true,
      masquerade: true,
      gatewayMode: { 4: 'nat', 6: 'nat' },
    },
    {
      linkName: 'br-closed',
      subnets: ['172.18.0.0/16'],
      internal: true,
      interContainer: false,
      masquerade: true,
      gatewayMode: { 4: 'nat', 6: 'nat' },
    },
    {
      linkName: 'br-six',
      subnets: ['172.19.0.0/16', 'fd00::/64'],
      internal: false,
      interContainer: true,
      masquerade: true,
      gatewayMode: { 4: 'nat-unprotected', 6: 'routed' },
    },
  ],
  ports: [everyAddress, loopback, six, through, open],
  through: { address: '10.0.2.2', linkName: 'eth0' },
};

t.test('the ruleset of three networks and five ports is as agreed', async (t) => {
  t.equal(renderRuleset(state), readFileSync('test/fixtures/network/three-networks.nft', 'utf8'));
});

t.test('an engine without networks has no elements, but the same rules', async (t) => {
  const empty = renderRuleset({
    table: 'machine_docker0',
    bridges: [],
    ports: [],
    through: { address: '10.0.2.2', linkName: 'eth0' },
  });
  t.notMatch(empty, 'elements');
  t.same(rules(empty), rules(renderRuleset(state)));
});

t.test('a port is one element, added and taken back by its key', async (t) => {
  t.equal(
    renderPortAddition('machine_docker0', state.ports),
    'add element inet machine_docker0 published { tcp . 8080 : 172.17.0.2 . 80 }\n' +
      'add element inet machine_docker0 published_at { 127.0.0.1 . udp . 5353 : 172.17.0.2 . 80 }\n' +
      'add element inet machine_docker0 published6 { tcp . 8080 : fd00::2 . 80 }\n' +
      'add element inet machine_docker0 through { tcp . 9 : 172.17.0.2 . 80 }\n' +
      'add element inet machine_docker0 routed6 { fd00::2 . sctp . 80 }\n',
  );
  t.equal(
    renderPortRemoval('machine_docker0', state.ports),
    'delete element inet machine_docker0 published { tcp . 8080 }\n' +
      'delete element inet machine_docker0 published_at { 127.0.0.1 . udp . 5353 }\n' +
      'delete element inet machine_docker0 published6 { tcp . 8080 }\n' +
      'delete element inet machine_docker0 through { tcp . 9 }\n' +
      'delete element inet machine_docker0 routed6 { fd00::2 . sctp . 80 }\n',
  );
});

function rules(script: string): string[] {
  return script.split('\n').filter((line) => !/^ {2}(set|map) /.test(line));
}
