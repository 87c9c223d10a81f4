import { Duplex } from 'node:stream';
import { FileOwners } from '../../../provisioning/directories/owners/file-owners.ts';
import { OwnerJournal } from '../../../provisioning/directories/owners/owner-journal.ts';
import { serveSftp } from '../../../provisioning/directories/sftp/serve-sftp.ts';
import { SharedTree } from '../../../provisioning/directories/sftp/shared-tree.ts';

// As a program: serves the directories of its arguments as /0, /1, … on stdin and stdout. `:ro` makes one read-only.
// SERVER_USER is a number of who does it, and SERVER_OWNERS where owners are remembered.
const { SERVER_USER, SERVER_OWNERS } = process.env;
if (SERVER_USER) {
  process.setgid!(Number(SERVER_USER));
  process.setuid!(Number(SERVER_USER));
}
const owners = new FileOwners(SERVER_OWNERS ? new OwnerJournal(SERVER_OWNERS) : null);
const trees = process.argv
  .slice(2)
  .map((arg) => new SharedTree(arg.replace(/:ro$/, ''), { readonly: arg.endsWith(':ro'), owners }));
const stream = Duplex.from({ readable: process.stdin, writable: process.stdout });
await serveSftp(stream, new Map(trees.map((tree, i) => [String(i), tree])));
process.exit();
