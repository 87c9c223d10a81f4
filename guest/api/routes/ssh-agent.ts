import { InvalidParameter } from '../../errors.ts';
import type { HostSshAgent } from '../../host-services/ssh-agent.ts';
import { sshAgentProtocol } from '../../wire/index.ts';
import type { Route } from '../handler.ts';

/** `GET /machine/ssh-agent`, our own: for the host in front of this one (wire/ssh-agent.ts). */
export function sshAgentRoutes(agent: HostSshAgent): Route[] {
  return [
    {
      method: 'GET',
      path: '/machine/ssh-agent',
      ofHost: true,
      async handle(request) {
        if (request.headers.upgrade !== sshAgentProtocol)
          throw new InvalidParameter(`/machine/ssh-agent is for an upgrade to ${sshAgentProtocol}`);
        agent.park(await request.hijack({ multiplexed: false }));
        return { hijacked: true };
      },
    },
  ];
}
