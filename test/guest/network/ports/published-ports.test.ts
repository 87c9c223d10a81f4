import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { Firewall } from '../../../../guest/network/firewall/firewall.ts';
import type { PortRequest } from '../../../../guest/network/ports/ports.ts';
import { PublishedPorts } from '../../../../guest/network/ports/published-ports.ts';
import type {
  PortFailure,
  PublishedPortNotice,
  PublishedPorts as State,
} from '../../../../guest/wire/index.ts';

const run = async () => ({ stdout: Buffer.alloc(0), stderr: '', exitCode: 0 });
const request = (hostPorts: PortRequest['hostPorts']): PortRequest => ({
  containerPort: 80,
  protocol: 'tcp',
  hostAddresses: ['127.0.0.1'],
  hostPorts,
});

/** An engine's ports, and a host in front that has no port of those `taken`. */
function forwarded(taken: (port: PublishedPortNotice) => Partial<PortFailure> | null) {
  const ports = new PublishedPorts(new Firewall({ table: 'test', through: null }, run), { forwarded: true });
  const states: State[] = [];
  const following = ports.host.follow({
    tell: (state) => {
      states.push(state);
      const failed = state.published.flatMap(({ protocol, hostAddress, hostPort, ...port }) => {
        const failure = taken({ protocol, hostAddress, hostPort, ...port });
        return failure
          ? [{ protocol, hostAddress, hostPort, taken: true, message: 'taken', ...failure }]
          : [];
      });
      setImmediate(() => following.answer({ serial: state.serial, failed }));
    },
    end: () => {},
  });
  const hold = (requests: PortRequest[], id = 'one') => ports.hold(id, { requests, wanted: [] });
  return { ports, states, hold };
}

t.test(
  'a port that the host in front does not have is an error in its words, and is held by nobody',
  async (t) => {
    const { ports, states, hold } = forwarded(({ hostPort }) =>
      hostPort === 20123 ? { message: 'Bind for 127.0.0.1:20123 failed: port is already allocated' } : null,
    );
    const wish = [request({ first: 20122, last: 20122 }), request({ first: 20123, last: 20123 })];
    await t.rejects(hold(wish), { name: 'Internal', message: /^Bind for 127.0.0.1:20123 failed/ });
    t.strictSame(ports.list(), []);
    t.strictSame(states.at(-1)!.published, [], 'and the host was told before anybody else was');
    const server = createServer().listen(20122, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  },
);

t.test("a port of the engine's own choice becomes another one", async (t) => {
  const refused: number[] = [];
  const { hold, ports } = forwarded(({ hostPort }) => {
    if (refused.length < 3 && !refused.includes(hostPort)) refused.push(hostPort);
    return refused.includes(hostPort) ? {} : null;
  });
  const [port] = await hold([request(null)]);
  t.equal(refused.length, 3);
  t.notOk(refused.includes(port!.hostPort));
  t.equal(ports.list().length, 1);
  await ports.release('one');
});

t.test('a range gives the first that both have, and says when there is none', async (t) => {
  const { hold, ports } = forwarded(({ hostPort }) =>
    hostPort < 20203 ? { message: `${hostPort} is taken` } : null,
  );
  const [port] = await hold([request({ first: 20201, last: 20210 })]);
  t.equal(port!.hostPort, 20203);
  await t.rejects(hold([request({ first: 20201, last: 20202 })], 'two'), {
    message: 'all ports are allocated, of 20201-20202 the first: 20201 is taken',
  });
  const neighbours = hold(
    [request({ first: 20203, last: 20204 }), request({ first: 20203, last: 20204 })],
    'three',
  );
  await t.rejects(neighbours, {
    message:
      /^all ports are allocated, of 20203-20204 the first: Bind for .*:20203 failed: port is already allocated$/,
  });
  await ports.release('one');
});

t.test('what no other number would help is not tried again', async (t) => {
  const { hold, states } = forwarded(() => ({ taken: false, message: 'cannot assign requested address' }));
  await t.rejects(hold([request(null)]), { message: 'cannot assign requested address' });
  t.equal(states.filter(({ published }) => published.length > 0).length, 1);
});
