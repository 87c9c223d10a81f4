import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import t from 'tap';
import { busyboxArchive } from '../helpers/busybox-archive.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { makeTar } from '../helpers/tar.ts';
import { cannotPlay, openSubject } from './subject.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(120_000);

/** Collects what is written to it. */
class Sink extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

t.test('dockerode: the calls of every day', { skip }, async (t) => {
  const { socket } = await openSubject(t);
  const docker = new Docker({ socketPath: socket });
  const finished = (stream: NodeJS.ReadableStream) =>
    new Promise<object[]>((resolve, reject) =>
      docker.modem.followProgress(stream, (error, output) => (error ? reject(error) : resolve(output))),
    );

  await t.test('the engine', async (t) => {
    t.equal((await docker.ping()).toString(), 'OK');
    t.match(await docker.version(), { Os: 'linux' });
    t.match(await docker.info(), { OSType: 'linux' });
    t.match(await docker.df(), { Images: Array });
  });

  await t.test('run, with its output and its end', async (t) => {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const [result, container] = await docker.run(
      'busybox',
      ['sh', '-c', 'echo out; echo err >&2; exit 3'],
      [stdout, stderr],
      { Tty: false },
    );
    t.same([stdout.text, stderr.text, result.StatusCode], ['out\n', 'err\n', 3]);
    await container.remove();
    t.match(await container.inspect().catch((error: Error) => error), { statusCode: 404 });
  });

  await t.test('a container from its creation to its removal', async (t) => {
    const container = await docker.createContainer({
      name: 'web',
      Image: 'busybox',
      Cmd: ['sh', '-c', 'while :; do echo tick; sleep 1; done'],
      Labels: { a: 'b' },
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18060' }] } },
      ExposedPorts: { '80/tcp': {} },
    });
    await container.start();
    t.match(await container.inspect(), { Name: '/web', State: { Running: true } });
    const [listed] = await docker.listContainers({ filters: { label: ['a=b'] } });
    t.match(listed, { Names: ['/web'], Ports: [{ PrivatePort: 80, PublicPort: 18060 }] });
    const followed = await container.logs({ follow: true, stdout: true, stderr: true });
    const sink = new Sink();
    docker.modem.demuxStream(followed, sink, sink);
    while (!sink.text.includes('tick')) await new Promise((resolve) => followed.once('data', resolve));
    (followed as unknown as Readable).destroy();
    const logs = await container.logs({ stdout: true, stderr: true });
    t.match(logs.toString('utf8'), /tick\n/);
    t.match(await container.stats({ stream: false }), { pids_stats: Object, memory_stats: Object });
    t.match(await container.top(), { Processes: Array });
    await container.pause();
    await container.unpause();
    await container.rename({ name: 'renamed' });
    const waited = container.wait();
    await container.stop({ t: 0 });
    t.match(await waited, { StatusCode: 137 });
    await container.restart({ t: 0 });
    await container.kill();
    await container.remove({ v: true, force: true });
  });

  await t.test('exec, attached and with stdin', async (t) => {
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '100'] });
    await container.start();
    const exec = await container.exec({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
    const stream = await exec.start({ hijack: true, stdin: true });
    const sink = new Sink();
    docker.modem.demuxStream(stream, sink, sink);
    const ended = new Promise((resolve) => stream.once('end', resolve));
    stream.end('through\n');
    await ended;
    t.equal(sink.text, 'through\n');
    t.match(await exec.inspect(), { Running: false, ExitCode: 0 });
    await container.remove({ force: true });
  });

  await t.test('attach before start', async (t) => {
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['cat'],
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    const sink = new Sink();
    docker.modem.demuxStream(stream, sink, sink);
    await container.start();
    stream.end('through\n');
    t.match(await container.wait(), { StatusCode: 0 });
    t.equal(sink.text, 'through\n');
    await container.remove();
  });

  await t.test('files go in and out as tar', async (t) => {
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['true'] });
    await container.putArchive(Buffer.from(await busyboxArchive()), { path: '/tmp' });
    const out = await container.getArchive({ path: '/tmp/manifest.json' });
    t.match(await text(out), /RepoTags/);
    t.ok((await container.changes()).length > 0);
    await container.remove();
  });

  await t.test('images', async (t) => {
    await finished(await docker.loadImage(Readable.from([await busyboxArchive('made/loaded:1')])));
    const image = docker.getImage('made/loaded:1');
    t.match(await image.inspect(), { Os: 'linux', Size: Number });
    t.ok((await image.history()).length > 0);
    await image.tag({ repo: 'made/other', tag: '2' });
    t.match(await docker.listImages({ filters: { reference: ['made/other'] } }), [{ RepoTags: Array }]);
    const saved = await docker.getImage('made/other:2').get();
    let size = 0;
    for await (const chunk of saved as unknown as AsyncIterable<Buffer>) size += chunk.length;
    t.ok(size > 100_000);
    await docker.getImage('made/other:2').remove();
    await image.remove();
    const missing = docker.getImage('nosuch').inspect();
    t.match(await missing.catch((error: Error) => error), { statusCode: 404, reason: 'no such image' });
  });

  await t.test('builds', async (t) => {
    const tar = makeTar([
      { path: 'Dockerfile', content: 'FROM busybox\nARG A\nCOPY f /\nRUN echo "$A" >/a\n' },
      { path: 'f', content: 'f' },
    ]);
    const options = { t: 'built:1', buildargs: { A: 'x' }, labels: { l: 'v' } };
    const said = await finished(await docker.buildImage(Readable.from([tar]), options));
    t.match(said.at(-1), { stream: 'Successfully tagged built:1\n' });
    t.match(await docker.getImage('built:1').inspect(), { Config: { Labels: { l: 'v' } } });
    const failing = makeTar([{ path: 'Dockerfile', content: 'FROM busybox\nRUN exit 3\n' }]);
    const failed = await finished(await docker.buildImage(Readable.from([failing]), {}));
    t.match(failed.at(-1), { errorDetail: { code: 3 }, error: /returned a non-zero code: 3/ });
    await docker.getImage('built:1').remove();
  });

  await t.test('builds with BuildKit', async (t) => {
    // By its newer method, which knows BuildKit's progress.
    const { followProgress } = docker as unknown as Pick<typeof docker.modem, 'followProgress'>;
    const build = async (dockerfile: string, options: object) => {
      const tar = makeTar([
        { path: 'Other', content: dockerfile },
        { path: 'f', content: 'f' },
      ]);
      const stream = await docker.buildImage(Readable.from([tar]), {
        ...{ dockerfile: 'Other', version: '2', ...options },
      });
      return new Promise<{ error: string; said: string }>((resolve) =>
        followProgress.call(docker, stream, (error, lines: { stream?: string; error?: string }[] | null) => {
          const last = lines?.find((line) => line.error !== undefined)?.error;
          const said = (lines ?? []).map((line) => line.stream ?? '').join('');
          resolve({ error: error?.message ?? last ?? '', said });
        }),
      );
    };
    const works = 'FROM busybox\nRUN --mount=type=tmpfs,target=/t touch /t/x && test -f /t/x\nCOPY f /f\n';
    const options = { t: 'kit:1', labels: { l: 'v' } };
    const first = await build(works, options);
    t.equal(first.error, '');
    t.match(first.said, 'RUN --mount=type=tmpfs');
    t.match(await docker.getImage('kit:1').inspect(), { Config: { Labels: { l: 'v' } } });
    t.match((await build(works, options)).said, /CACHED: \[.*\d\/\d\] COPY f \/f/);
    const failed = await build('FROM busybox\nRUN exit 3\n', {});
    t.match(failed.error, 'process "/bin/sh -c exit 3" did not complete successfully: exit code: 3');
    const authconfig = { username: 'u', password: 'p', serveraddress: '127.0.0.1:9' };
    t.match(
      (await build('FROM 127.0.0.1:9/none\n', { authconfig })).error,
      /127\.0\.0\.1:9.*connection refused/,
      'and a client that is asked for credentials answers',
    );
    await docker.getImage('kit:1').remove();
  });

  await t.test('networks, volumes and events', async (t) => {
    const events = await docker.getEvents({ filters: { type: ['network'] } });
    const network = await docker.createNetwork({ Name: 'net', CheckDuplicate: true });
    const event = await new Promise<Buffer>((resolve) => events.once('data', resolve));
    (events as unknown as Readable).destroy();
    t.match(JSON.parse(event.toString('utf8')), { Type: 'network', Action: 'create' });
    const volume = await docker.createVolume({ Name: 'vol' });
    t.match(volume, { name: 'vol' });
    t.match(await docker.listVolumes(), { Volumes: [{ Name: 'vol' }] });
    t.match(await docker.listNetworks({ filters: { name: ['net'] } }), [{ Name: 'net' }]);
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['sleep', '100'],
      HostConfig: { NetworkMode: 'net', Binds: ['vol:/vol'] },
    });
    await container.start();
    t.match(await network.inspect(), { Containers: { [container.id]: { IPv4Address: /^\d/ } } });
    await network.disconnect({ Container: container.id });
    await network.connect({ Container: container.id });
    await container.remove({ force: true });
    await network.remove();
    await docker.getVolume('vol').remove();
    await docker.pruneContainers();
    await docker.pruneVolumes();
  });
});
