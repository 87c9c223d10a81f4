/**
 * A program for Node that watches `/src` and `/src/sub` as chokidar and with it most tools for the web do, by a watch (inotify)
 * for each directory. A line for each event: kind, directory, name, and what the file holds then (`-`: it is not there).
 */
export const nodeWatcher = `
const { readFileSync, watch } = require('node:fs');
for (const directory of ['/src', '/src/sub'])
  watch(directory, (event, name) => {
    let text = '-';
    try { text = readFileSync(directory + '/' + name, 'utf8').trim().replaceAll('\\n', ','); } catch { /* It has gone again. */ }
    console.log([event, directory, name, text].join(' '));
  });
console.log('watching');
`;

/** Arguments of `docker run` by which a container has the Node of its machine, which has no other program that watches. */
export const nodeOfMachine: readonly string[] = ['/usr', '/lib', '/lib64'].flatMap((path) => [
  '-v',
  `${path}:${path}:ro`,
]);
