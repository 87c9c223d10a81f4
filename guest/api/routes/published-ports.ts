import { Readable } from 'node:stream';
import type { PublishedPorts } from '../../network/ports/published-ports.ts';
import type { PublishedPorts as Notice } from '../../wire/index.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** `GET /machine/ports`, our own: for the host in front of this one (wire/published-ports.ts). */
export function publishedPortsRoutes(ports: PublishedPorts): Route[] {
  return [{ method: 'GET', path: '/machine/ports', handle: ({ signal }) => follow(ports, signal) }];
}

function follow(ports: PublishedPorts, signal: ApiRequest['signal']): Reply {
  let told = '';
  const tell = () => {
    // Who reads slowly gets the newest state only, once there is room for it.
    const notice: Notice = { published: ports.list() };
    const line = `${JSON.stringify(notice)}\n`;
    if (line === told || stream.readableLength > 0) return;
    told = line;
    stream.push(line);
  };
  const stream = new Readable({ read: () => tell() });
  const stop = ports.observe(tell);
  stream.on('close', stop);
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  return { stream, contentType: 'application/x-ndjson' };
}
