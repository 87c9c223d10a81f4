import { join } from 'node:path';
import type { Test } from 'tap';
import { ContainerLog, type ContainerLogOptions } from '../../../guest/logs/container-log.ts';
import { jsonFormat } from '../../../guest/logs/json-format.ts';
import { type LogQuery, readLog } from '../../../guest/logs/read-log.ts';

export const everything: LogQuery = {
  stdout: true,
  stderr: true,
  follow: false,
  tail: null,
  since: null,
  until: null,
};

/** A log in a directory of the test's, and the path of its checkpoint. */
export function testLog(t: Test, options: Partial<ContainerLogOptions> = {}) {
  const directory = t.testdirName;
  return openTestLog(join(directory, 'x.log'), options);
}

export function openTestLog(file: string, options: Partial<ContainerLogOptions> = {}) {
  const log = new ContainerLog(file, {
    format: jsonFormat,
    maxBytes: 1000,
    maxFiles: 2,
    compress: false,
    attributes: null,
    ...options,
  });
  return { log, checkpoint: `${file}.logged` };
}

const never = new AbortController().signal;

/** The lines that a query finds; with `follow` until `ended` is aborted. */
export async function linesOf(
  log: ContainerLog,
  query: Partial<LogQuery> = {},
  ended = AbortSignal.abort(),
): Promise<string> {
  let text = '';
  for await (const { line } of readLog(log, { ...everything, ...query }, { signal: never, ended }))
    text += line;
  return text;
}
