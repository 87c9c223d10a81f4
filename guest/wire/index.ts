/**
 * The only code that the host folders may import from `guest/`, besides DNS messages (`guest/dns`): types and constants of
 * what crosses the boundary. No behaviour lives here, and nothing here imports anything.
 */
export * from './boot-config.ts';
export * from './hello.ts';
export * from './host-changes.ts';
export * from './host-names.ts';
export * from './published-ports.ts';
export * from './ssh-agent.ts';
