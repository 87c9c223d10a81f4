import { parseTemplate } from '../go-template.ts';
import { tableText } from '../table.ts';
import type { ListedMachine } from './list-machines.ts';

/** Above a column stands this; other fields have their names in capitals. */
const headers: Readonly<Record<string, string>> = {
  ActiveHost: 'ACTIVE_HOST',
  ActiveSwarm: 'ACTIVE_SWARM',
  DriverName: 'DRIVER',
  SwarmOptions: 'SWARM_OPTIONS',
  EngineOptions: 'ENGINE_OPTIONS',
  Error: 'ERRORS',
  DockerVersion: 'DOCKER',
  ResponseTime: 'RESPONSE',
};

export const defaultListFormat =
  'table {{ .Name }}\t{{ .Active }}\t{{ .DriverName}}\t{{ .State }}\t{{ .URL }}\t{{ .Swarm }}\t{{ .DockerVersion }}\t{{ .Error}}';

/** `format` is a template for each line, or `table` and templates of its columns, separated by tabs (`\t`). */
export function formatList(machines: readonly ListedMachine[], format: string): string {
  const source = format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const columns = /^table\s+/.exec(source);
  if (columns === null) {
    const template = parseTemplate(source);
    return machines.map((machine) => `${template.render(machine)}\n`).join('');
  }
  const templates = source.slice(columns[0].length).split('\t').map(parseTemplate);
  const top = templates.map(({ fields }) =>
    fields.map(([name = '']) => headers[name] ?? name.toUpperCase()).join(' '),
  );
  return tableText([
    top,
    ...machines.map((machine) => templates.map((template) => template.render(machine))),
  ]);
}
