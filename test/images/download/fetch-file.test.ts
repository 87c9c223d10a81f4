import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fetchAll } from '../../../images/download/fetch-all.ts';
import { fetchFile } from '../../../images/download/fetch-file.ts';

const content = Buffer.alloc(300_000, 'content of the file ');
const file = {
  sha256: createHash('sha256').update(content).digest('hex'),
  sizeBytes: content.length,
  delaysMs: [1, 1],
};

async function serve(t: Test, handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
}

/** Serves the content, from where it is asked. */
const good: RequestListener = (request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200).end(content.subarray(start));
};

t.test('a file is fetched, and not again when it is there', async (t) => {
  let requests = 0;
  const url = await serve(t, (request, response) => {
    requests += 1;
    good(request, response);
  });
  const path = join(t.testdir(), 'new', 'file');
  const sizes: number[] = [];
  await fetchFile({ ...file, url, path, onBytes: (bytes) => sizes.push(bytes) });
  await fetchFile({ ...file, url, path });
  t.ok(readFileSync(path).equals(content));
  t.equal(requests, 1);
  t.equal(sizes.at(-1), content.length);
  t.notOk(existsSync(`${path}.part`));
});

t.test('a broken connection is taken up where it broke', async (t) => {
  const ranges: (string | undefined)[] = [];
  let breakOff = () => {};
  const url = await serve(t, (request, response) => {
    ranges.push(request.headers.range);
    if (ranges.length > 1) return good(request, response);
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100_000));
    breakOff = () => response.destroy();
  });
  const path = join(t.testdir(), 'file');
  // Once a part has come; what was not read before a reset is lost.
  await fetchFile({ ...file, url, path, onBytes: () => breakOff() });
  t.ok(readFileSync(path).equals(content));
  t.equal(ranges[0], undefined);
  t.match(ranges[1], /^bytes=\d+-$/);
});

t.test('what an earlier call left is used', async (t) => {
  let asked: string | undefined;
  const url = await serve(t, (request, response) => {
    asked = request.headers.range;
    good(request, response);
  });
  const path = join(t.testdir({ 'file.part': content.subarray(0, 1234) }), 'file');
  await fetchFile({ ...file, url, path });
  t.equal(asked, 'bytes=1234-');
  t.ok(readFileSync(path).equals(content));
});

t.test('a server that cannot resume sends everything again', async (t) => {
  const url = await serve(t, (_, response) => response.end(content));
  const path = join(t.testdir({ 'file.part': content.subarray(0, 1234) }), 'file');
  await fetchFile({ ...file, url, path });
  t.ok(readFileSync(path).equals(content));
});

t.test('a left part that is wrong costs one more try, not the download', async (t) => {
  const url = await serve(t, good);
  const path = join(t.testdir(), 'file');
  writeFileSync(`${path}.part`, Buffer.alloc(5000, '?'));
  await fetchFile({ ...file, url, path });
  t.ok(readFileSync(path).equals(content));
});

t.test('a file with another hash is refused with a sentence, and nothing of it is kept', async (t) => {
  const url = await serve(t, (_, response) => response.end(Buffer.alloc(content.length, 'x')));
  const path = join(t.testdir(), 'file');
  await t.rejects(fetchFile({ ...file, url, path }), {
    name: 'Untrusted',
    message: /is not the file that was signed for \(sha256 /,
  });
  t.notOk(existsSync(path));
  t.notOk(existsSync(`${path}.part`));
});

t.test('a file that is longer than was signed for is not read to its end', async (t) => {
  const url = await serve(t, (_, response) => response.end(Buffer.alloc(content.length * 20)));
  const path = join(t.testdir(), 'file');
  await t.rejects(fetchFile({ ...file, url, path }), {
    name: 'Untrusted',
    message: /more than 300000 bytes/,
  });
});

t.test('a busy server is asked again, one that refuses is not', async (t) => {
  let requests = 0;
  const statuses = [503, 429, 404];
  const url = await serve(t, (_, response) => response.writeHead(statuses[requests++] ?? 500).end());
  const path = join(t.testdir(), 'file');
  await t.rejects(fetchFile({ ...file, url, path }), {
    name: 'Unavailable',
    message: /the server answered 404/,
  });
  t.equal(requests, 3);
});

t.test('an unreachable server is named with the reason', async (t) => {
  const path = join(t.testdir(), 'file');
  const outcome = fetchFile({ ...file, url: 'http://127.0.0.1:1/file', path, delaysMs: [] });
  await t.rejects(outcome, { message: /http:\/\/127\.0\.0\.1:1\/file cannot be fetched: .+/ });
});

t.test('an abort ends the download and keeps the part for the next time', async (t) => {
  const abort = new AbortController();
  const url = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100_000));
  });
  const path = join(t.testdir(), 'file');
  const outcome = fetchFile({ ...file, url, path, signal: abort.signal, onBytes: () => abort.abort() });
  await t.rejects(outcome, { name: 'AbortError' });
  t.ok(existsSync(`${path}.part`));
});

t.test('of several files one failure ends all, and progress counts them together', async (t) => {
  const url = await serve(t, good);
  const directory = t.testdir();
  const wanted = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({
    ...file,
    name,
    url,
    path: join(directory, name),
  }));
  let last = [0, 0];
  await fetchAll(wanted, { onProgress: (_, done, total) => (last = [done, total]) });
  t.strictSame(last, [6 * content.length, 6 * content.length]);
  const bad = { ...wanted[0]!, path: join(directory, 'bad'), sha256: '0'.repeat(64) };
  await t.rejects(fetchAll([...wanted, bad]), { name: 'Untrusted' });
});
