import type { Container } from '../containers/container.ts';
import type { Dependencies } from '../containers/dependencies.ts';
import { InvalidParameter, NotFound } from '../errors.ts';
import type { ExecBody } from '../schema/container.ts';
import { ExecSession } from './exec-session.ts';

/** How long an ended session can still be asked for its exit code, as with dockerd. */
const rememberMs = 5 * 60_000;

export class ExecSessions {
  readonly #deps: Dependencies;
  readonly #byId = new Map<string, ExecSession>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Throws Conflict when the container does not run, InvalidParameter without a command or with odd detach keys. */
  create(container: Container, body: ExecBody, reference?: string): ExecSession {
    container.check('exec', reference);
    if ((body.Cmd ?? []).length === 0) throw new InvalidParameter('No exec command specified');
    const session = new ExecSession(container, body, this.#deps, ({ id }) => {
      setTimeout(() => this.#byId.delete(id), rememberMs).unref();
    });
    this.#byId.set(session.id, session);
    container.publish(`exec_create: ${session.command}`, { execID: session.id });
    return session;
  }

  /** Throws NotFound. */
  get(id: string): ExecSession {
    const session = this.#byId.get(id);
    if (!session?.isKnown) throw new NotFound(`No such exec instance: ${id}`);
    return session;
  }

  of(container: Container): string[] {
    return [...this.#byId.values()]
      .filter((session) => session.container === container && session.running)
      .map(({ id }) => id);
  }
}
