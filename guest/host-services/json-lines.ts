import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { ZodType } from 'zod';

/**
 * Gives each line of JSON that comes by an upgraded connection to `take`. Ends the connection of who does not speak the
 * protocol: whose lines are not of `schema`, or have more than `longest` characters. A client's end is the end.
 */
export function takeJsonLines<Message>(
  connection: Duplex,
  { schema, longest }: { readonly schema: ZodType<Message>; readonly longest: number },
  take: (message: Message) => void,
): void {
  let rest = '';
  // A server's sockets do not decode by themselves.
  const decoder = new StringDecoder();
  connection.on('end', () => connection.destroy());
  connection.on('data', (chunk: Buffer) => {
    // What was read ahead still comes.
    if (connection.destroyed) return;
    rest += decoder.write(chunk);
    const lines = rest.split('\n');
    rest = lines.pop()!;
    if (rest.length > longest) return void connection.destroy();
    for (const line of lines) {
      const parsed = schema.safeParse(parse(line));
      if (!parsed.success) return void connection.destroy();
      take(parsed.data);
    }
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
