/**
 * `GET /machine/ssh-agent` with `Upgrade: machine-ssh-agent` parks a connection of the host in front. When a program in
 * the machine connects to {@link sshAgentSocket}, one parked connection becomes its way to the user's ssh-agent: bytes
 * both ways, from the program's first one to the end of either side. The host parks another as soon as one is used, and
 * ends one behind which no ssh-agent answers.
 */
export const sshAgentProtocol = 'machine-ssh-agent';

/** Where programs of a machine find the user's ssh-agent; the path is Docker Desktop's. */
export const sshAgentSocket = '/run/host-services/ssh-auth.sock';
