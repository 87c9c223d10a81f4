import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseDockerfile } from '../../../../guest/builder/dockerfile/stages.ts';

const fixtures = join('test', 'fixtures', 'dockerfile');
/** Writes down what the parser says; to be read before it is kept. */
const recording = process.env.MACHINE_RECORD === '1';

for (const name of readdirSync(fixtures).filter((entry) => entry !== 'rejected')) {
  t.test(`${name} is read as expected`, async (t) => {
    const directory = join(fixtures, name);
    const read = JSON.parse(JSON.stringify(parseDockerfile(textOf(directory))));
    const golden = join(directory, 'expected.json');
    if (recording && !existsSync(golden)) writeFileSync(golden, `${JSON.stringify(read, null, 2)}\n`);
    t.same(read, JSON.parse(readFileSync(golden, 'utf8')));
  });
}

for (const name of readdirSync(join(fixtures, 'rejected'))) {
  t.test(`${name} is refused with docker's words`, async (t) => {
    const directory = join(fixtures, 'rejected', name);
    const expected = readFileSync(join(directory, 'expected.txt'), 'utf8').trimEnd();
    t.throws(() => parseDockerfile(textOf(directory)));
    try {
      parseDockerfile(textOf(directory));
    } catch (error) {
      t.equal((error as Error).message, expected);
    }
  });
}

function textOf(directory: string): string {
  return readFileSync(join(directory, 'Dockerfile'), 'utf8');
}
