import { Duplex } from 'node:stream';
import { serveSftp } from '../../../provisioning/directories/sftp/serve-sftp.ts';
import { SharedTree } from '../../../provisioning/directories/sftp/shared-tree.ts';

// As a program: serves the directories of its arguments as /0, /1, … on stdin and stdout. `:ro` makes one read-only.
const trees = process.argv
  .slice(2)
  .map((arg) => new SharedTree(arg.replace(/:ro$/, ''), { readonly: arg.endsWith(':ro') }));
const stream = Duplex.from({ readable: process.stdin, writable: process.stdout });
await serveSftp(stream, new Map(trees.map((tree, i) => [String(i), tree])));
process.exit();
