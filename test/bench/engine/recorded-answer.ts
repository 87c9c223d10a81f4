import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { call } from '../../compat/http.ts';
import type { Subject } from '../../compat/subject.ts';
import { DockerClient } from '../../helpers/docker-client.ts';

/** Gives one answer of an engine's again, at once and to everything: what the client needs for itself to show it. */
export class RecordedAnswer extends DockerClient implements Subject, Disposable {
  readonly directory: string;
  readonly socket: string;
  readonly #server: Server;

  private constructor(directory: string, server: Server) {
    super();
    this.directory = directory;
    this.socket = join(directory, 'recorded.sock');
    this.#server = server;
  }

  /** `line` is a request such as `GET /v1.45/containers/json?all=1`. */
  static async of({ socket, directory }: Subject, line: string): Promise<RecordedAnswer> {
    const [ping, { text }] = [await call(socket, 'GET /_ping'), await call(socket, line)];
    const server = createServer((request, response) => {
      const isPing = request.url!.endsWith('/_ping');
      response.setHeader('Api-Version', String(ping.headers['api-version']));
      response.setHeader('Content-Type', isPing ? 'text/plain' : 'application/json');
      response.end(isPing ? 'OK' : text);
    });
    const recorded = new RecordedAnswer(directory, server);
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(recorded.socket, resolve),
    );
    return recorded;
  }

  get env(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: `unix://${this.socket}`, DOCKER_CONFIG: join(this.directory, 'docker-config') };
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
