import t from 'tap';
import { PortUnavailable } from '../../../../drivers/port-forwarder.ts';
import { portFailure, type Taker } from '../../../../provisioning/supervisor/ports/failure.ts';

const messageOf = (code: string, taker: Taker = null, hostAddress = '127.0.0.1', hostPort = 8080) => {
  const forward = { protocol: 'tcp', hostAddress, hostPort, guestPort: 80 } as const;
  return portFailure({ forward, error: new PortUnavailable(forward, code) }, taker);
};

t.test('who has a port is named where that is known', async (t) => {
  t.match(messageOf('EADDRINUSE', { machine: 'other', own: false, use: null }), {
    taken: true,
    message: /^Bind for 127\.0\.0\.1:8080 failed: port is already allocated .*machine "other"/,
  });
  t.match(
    messageOf('EADDRINUSE', { name: 'nginx', pid: 12 }).message,
    /^failed to bind host port for 127\.0\.0\.1:8080\/tcp: address already in use \(nginx, process 12\b/,
  );
  t.match(messageOf('EADDRINUSE').message, /address already in use \(another program/);
});

t.test('a port that a machine itself is reached by is told with what to do', async (t) => {
  t.match(
    messageOf('EADDRINUSE', { machine: 'dev', own: true, use: 'Docker API' }).message,
    /^Bind for .* is already allocated \(the Docker API of machine "dev" is there: publish another port\)$/,
  );
  t.match(
    messageOf('EADDRINUSE', { machine: 'other', own: false, use: 'SSH server' }).message,
    /the SSH server of machine "other" is there: publish another port, or .* machine stop other,/,
  );
});

t.test('what no other number would help says so', async (t) => {
  t.match(messageOf('EACCES', null, '127.0.0.1', 80), {
    taken: false,
    message: /permission denied; .*below 1024/,
  });
  t.match(messageOf('EADDRNOTAVAIL', null, 'fd00::7'), {
    taken: false,
    message: /^failed to bind host port for \[fd00::7\]:8080\/tcp: cannot assign .* no address fd00::7/,
  });
});
