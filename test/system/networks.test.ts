import t from 'tap';
import { MachineHarness } from './machine-harness.ts';

/** Networks that need modules of a kernel of ours, and the way that QEMU's forwards come in. */
const missing = MachineHarness.missing();
t.test(
  'a machine has macvlan and ipvlan networks, and SCTP ports',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const docker = async (text: string) => {
      const { stdout, stderr, exitCode } = await harness.docker('dev', text.split(' '));
      t.equal(exitCode, 0, `docker ${text}: ${stderr}`);
      return stdout;
    };
    await harness.succeed('create', 'dev');

    await docker('network create -d macvlan --subnet 10.77.0.0/24 closed');
    await docker('run -d --name web --network closed --ip 10.77.0.10 busybox sleep 1000');
    const ping = 'run --rm --name client --network closed busybox ping -c1 -W5 web';
    t.match(await docker(ping), ' 0% packet loss', 'a neighbour has a name');
    t.notMatch(await docker('exec web cat /etc/hosts'), 'client', 'which goes with it');

    await docker(
      'network create -d macvlan -o parent=eth0 --subnet 10.0.2.0/24 --gateway 10.0.2.2 --ip-range 10.0.2.128/25 lan',
    );
    t.match(await docker('run --rm --network lan busybox ping -c1 -W5 10.0.2.2'), ' 0% packet loss');

    await docker('network create -d ipvlan -o parent=eth0 -o ipvlan_mode=l3 --subnet 10.78.0.0/24 routed');
    t.match(await docker('run --rm --network routed busybox ip route'), 'default dev eth0');

    await docker('network connect --ip 10.0.2.200 lan web');
    t.match(await docker('exec web ip -o -4 addr show eth1'), '10.0.2.200/24');
    await docker('network disconnect lan web');
    t.notMatch(await docker('exec web ip -o link'), 'eth1');

    await docker('run -d --name ports -p 9000:9000/sctp -p 127.0.0.1:8080:80 busybox httpd -f -p 80');
    t.match(await docker('port ports'), '9000/sctp -> 127.0.0.1:9000');
    t.match(await docker('port ports'), '80/tcp -> 127.0.0.1:8080');
    const inGuest = 'busybox wget -T 3 -q -O- http://10.0.2.15:8080/ 2>&1';
    t.match((await harness.machine(['ssh', 'dev', inGuest])).stdout, /refused/, 'only the host is let in');

    await docker('rm -f web ports');
    await docker('network rm closed lan routed');
  },
);
