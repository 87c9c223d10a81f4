import t from 'tap';
import { applyChanges } from '../../../guest/images/changes.ts';

t.test('each instruction changes its part of the configuration', async (t) => {
  const config = applyChanges({ Env: ['A=old', 'KEEP=1'], WorkingDir: '/srv', Labels: { a: 'b' } }, [
    'CMD echo $HOME',
    'entrypoint ["/init", "-x"]',
    'ENV A=new B="two words" C=\\"quoted\\"',
    'ENV OLD the rest of the line',
    "LABEL x='y z' plain=1",
    'EXPOSE 80 443/TCP 53/udp',
    'VOLUME ["/data", "/more"]',
    'WORKDIR sub/../dir\nUSER 1000:1000',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN make',
    'HEALTHCHECK --interval=1m30s --retries=2 CMD curl localhost',
    '  ',
  ]);
  t.same(config, {
    Cmd: ['/bin/sh', '-c', 'echo $HOME'],
    Entrypoint: ['/init', '-x'],
    Env: ['A=new', 'KEEP=1', 'B=two words', 'C="quoted"', 'OLD=the rest of the line'],
    Labels: { a: 'b', x: 'y z', plain: '1' },
    ExposedPorts: { '80/tcp': {}, '443/tcp': {}, '53/udp': {} },
    Volumes: { '/data': {}, '/more': {} },
    WorkingDir: '/srv/dir',
    User: '1000:1000',
    StopSignal: 'SIGINT',
    OnBuild: ['RUN make'],
    Healthcheck: { Test: ['CMD-SHELL', 'curl localhost'], Interval: 90e9, Retries: 2 },
  });
  t.same(applyChanges({}, ['HEALTHCHECK --timeout=500ms CMD ["curl", "x"]']), {
    Healthcheck: { Test: ['CMD', 'curl', 'x'], Timeout: 5e8 },
  });
  t.same(applyChanges({}, ['HEALTHCHECK none']), { Healthcheck: { Test: ['NONE'] } });
});

t.test('variables of the image are put in, but for what a shell reads', async (t) => {
  const config = applyChanges({ Env: ['PATH=/bin'] }, [
    'ENV PATH=/usr/bin:$PATH',
    "LABEL a=$PATH b='$PATH'",
    'CMD echo $PATH',
  ]);
  t.same(config, {
    Env: ['PATH=/usr/bin:/bin'],
    Labels: { a: '/usr/bin:/bin', b: '$PATH' },
    Cmd: ['/bin/sh', '-c', 'echo $PATH'],
  });
});

t.test('what is no such instruction is refused with its line', async (t) => {
  for (const line of ['HEALTHCHECK --interval=1 CMD x', 'HEALTHCHECK --x=1s CMD x', 'HEALTHCHECK CMD']) {
    t.throws(() => applyChanges({}, [line]), { name: 'InvalidParameter', message: /invalid change/ }, line);
  }
  for (const line of ['RUN make', 'CMD', 'ENV A', 'ENV A=1 B', 'EXPOSE 99999', 'EXPOSE http', 'LABEL =x']) {
    t.throws(() => applyChanges({}, [line]), { name: 'InvalidParameter', message: /invalid change/ }, line);
  }
});
