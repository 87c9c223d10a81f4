import t from 'tap';
import type { Forward } from '../../../../drivers/port-forwarder.ts';
import { difference, wantedForwards } from '../../../../provisioning/supervisor/ports/wanted.ts';

/** `tcp 127.0.0.1 8080 80`: from there to the guest's port 80. */
const forward = (text: string): Forward => {
  const [protocol, hostAddress, hostPort, guestPort] = text.split(' ');
  return {
    protocol: protocol as 'tcp',
    hostAddress: hostAddress!,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  };
};
const text = ({ protocol, hostAddress, hostPort, guestPort }: Forward) =>
  `${protocol} ${hostAddress} ${hostPort} ${guestPort}`;

const web = 'tcp 127.0.0.1 8080 8080';
const cases: { title: string; have: string[]; want: string[]; remove: string[]; add: string[] }[] = [
  { title: 'nothing to do', have: [web], want: [web], remove: [], add: [] },
  { title: 'the first', have: [], want: [web], remove: [], add: [web] },
  { title: 'the last', have: [web], want: [], remove: [web], add: [] },
  {
    title: 'one that leads elsewhere now',
    have: [web],
    want: ['tcp 127.0.0.1 8080 32768'],
    remove: [web],
    add: ['tcp 127.0.0.1 8080 32768'],
  },
  {
    title: 'protocols and addresses are different places',
    have: [web],
    want: [web, 'udp 127.0.0.1 8080 8080', 'tcp 192.0.2.7 8080 8080'],
    remove: [],
    add: ['udp 127.0.0.1 8080 8080', 'tcp 192.0.2.7 8080 8080'],
  },
  { title: 'wanted twice', have: [], want: [web, web], remove: [], add: [web] },
];

for (const { title, have, want, remove, add } of cases) {
  t.test(title, async (t) => {
    const todo = difference(have.map(forward), want.map(forward));
    t.strictSame(todo.remove.map(text), remove);
    t.strictSame(todo.add.map(text), add);
  });
}

t.test('SCTP is not forwarded', async (t) => {
  const port = { containerId: 'a', hostAddress: '127.0.0.1', hostPort: 9000, guestPort: 9000 };
  t.strictSame(
    wantedForwards([
      { ...port, protocol: 'sctp' },
      { ...port, protocol: 'udp' },
    ]).map(text),
    ['udp 127.0.0.1 9000 9000'],
  );
});
