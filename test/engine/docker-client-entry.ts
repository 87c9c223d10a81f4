import { connectionFrom } from '../../cli/docker-client/connection.ts';
import { main } from '../../cli/docker-client/main.ts';

/** The built-in client as a process: it reaches the engine of DOCKER_HOST. */
process.exitCode = await main(process.argv.slice(2), await connectionFrom(process.env));
