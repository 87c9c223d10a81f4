import { parseArgs } from 'node:util';
import { startEngine } from './engine.ts';
import { createLogger } from './log.ts';

const log = createLogger({ level: 'info', write: (line) => process.stderr.write(line) });

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    'data-root': { type: 'string', default: '/var/lib/machine' },
    'run-root': { type: 'string', default: '/run/machine' },
    host: { type: 'string', multiple: true, default: ['unix:///run/docker.sock'] },
  },
});

const engine = await startEngine({ dataRoot: values['data-root'], runRoot: values['run-root'] }, log);
for (const host of values.host) await engine.api.listenUnix(host.replace(/^unix:\/\//, ''));
log.info({ hosts: values.host }, 'the API answers');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void engine.close().then(() => process.exit(0)));
}
