import { type Duplex, Readable } from 'node:stream';
import * as z from 'zod';
import { InvalidParameter } from '../../errors.ts';
import { takeJsonLines } from '../../host-services/json-lines.ts';
import { portProtocols } from '../../network/ports/ports.ts';
import type { PublishedPorts } from '../../network/ports/published-ports.ts';
import { type PublishedPorts as Notice, portsProtocol } from '../../wire/index.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** A host that answers for thousands of ports stays far below. */
const longestAnswer = 4 * 1024 ** 2;

const answer = z.object({
  serial: z.number().int(),
  failed: z.array(
    z.object({
      protocol: z.enum(portProtocols),
      hostAddress: z.string(),
      hostPort: z.number().int(),
      taken: z.boolean(),
      message: z.string(),
    }),
  ),
});

/** `GET /machine/ports`, our own: for the host in front of this one (wire/published-ports.ts). */
export function publishedPortsRoutes(ports: PublishedPorts): Route[] {
  return [
    {
      method: 'GET',
      path: '/machine/ports',
      ofHost: true,
      async handle(request) {
        if (request.headers.upgrade === undefined) return follow(ports, request.signal);
        if (request.headers.upgrade !== portsProtocol)
          throw new InvalidParameter(`protocol ${request.headers.upgrade} not supported`);
        serve(await request.hijack({ multiplexed: false }), ports);
        return { hijacked: true };
      },
    },
  ];
}

/** To look at only. */
function follow(ports: PublishedPorts, signal: ApiRequest['signal']): Reply {
  let told = -1;
  const tell = () => {
    // Who reads slowly gets the newest state only, once there is room for it.
    const state: Notice = ports.host.state();
    if (state.serial === told || stream.readableLength > 0) return;
    told = state.serial;
    stream.push(`${JSON.stringify(state)}\n`);
  };
  const stream = new Readable({ read: () => tell() });
  const stop = ports.observe(tell);
  stream.on('close', stop);
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  return { stream, contentType: 'application/x-ndjson' };
}

function serve(connection: Duplex, { host }: PublishedPorts): void {
  const following = host.follow({
    tell: (state) => connection.write(`${JSON.stringify(state)}\n`),
    end: () => connection.end(),
  });
  connection.on('close', following.leave);
  takeJsonLines(connection, { schema: answer, longest: longestAnswer }, following.answer);
}
