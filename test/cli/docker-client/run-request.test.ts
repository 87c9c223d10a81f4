import { resolve } from 'node:path';
import t from 'tap';
import { command } from '../../../cli/docker-client/commands/run.ts';
import { parseFlags } from '../../../cli/docker-client/flags.ts';
import { publishedPorts } from '../../../cli/docker-client/publish.ts';
import { createRequest } from '../../../cli/docker-client/run-request.ts';

const request = (...args: string[]) =>
  createRequest(parseFlags(args, command.flags, { stopAtWord: true }), { HOME: '/home/me' });

t.test('a command line becomes the body of a creation', async (t) => {
  t.match(
    request(
      ...[
        '--rm',
        '-it',
        '--name',
        'web',
        '-e',
        'A=1',
        '-e',
        'HOME',
        '-e',
        'NOT_SET',
        '-u',
        '1000',
        '-w',
        '/w',
      ],
      ...['--network', 'none', '--entrypoint', '/bin/sh', 'busybox', '-c', 'true'],
    ),
    {
      Image: 'busybox',
      Cmd: ['-c', 'true'],
      Entrypoint: ['/bin/sh'],
      Env: ['A=1', 'HOME=/home/me'],
      User: '1000',
      WorkingDir: '/w',
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      HostConfig: { AutoRemove: true, NetworkMode: 'none' },
    },
  );
});

t.test('a detached container keeps its stdin open and is not attached to', async (t) => {
  t.match(request('-d', '-i', 'x'), {
    OpenStdin: true,
    StdinOnce: false,
    AttachStdin: false,
    AttachStdout: false,
  });
  t.strictSame(request('x').Cmd, null);
  t.notOk('Entrypoint' in request('x'));
});

t.test('volumes are binds, or anonymous; a relative directory is of this computer', async (t) => {
  const { HostConfig, Volumes } = request(
    ...['-v', 'data:/data:ro', '-v', '/srv:/srv', '-v', './here:/here', '-v', '/cache', 'x'],
  );
  t.same(HostConfig.Binds, ['data:/data:ro', '/srv:/srv', `${resolve('here')}:/here`]);
  t.same(Volumes, { '/cache': {} });
  t.throws(() => request('-v', ':/x', 'x'), { name: 'Usage' });
});

t.test('ports are published one by one, in ranges, and with an address', async (t) => {
  t.strictSame(publishedPorts(['8080:80', '127.0.0.1:8081:80', '53/udp', '127.0.0.1::90', '[::1]:1:1']), {
    '80/tcp': [
      { HostIp: '', HostPort: '8080' },
      { HostIp: '127.0.0.1', HostPort: '8081' },
    ],
    '53/udp': [{ HostIp: '', HostPort: '' }],
    '90/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    '1/tcp': [{ HostIp: '::1', HostPort: '1' }],
  });
  t.strictSame(publishedPorts(['8000-8001:80-81', '9000-9010:90']), {
    '80/tcp': [{ HostIp: '', HostPort: '8000' }],
    '81/tcp': [{ HostIp: '', HostPort: '8001' }],
    '90/tcp': [{ HostIp: '', HostPort: '9000-9010' }],
  });
  for (const spec of ['', 'x', '80:', '0', '70000', '1-2:1-3', '9-8:1-2', '80/http', 'a:b:c']) {
    t.throws(() => publishedPorts([spec]), { name: 'Usage' }, spec);
  }
});
