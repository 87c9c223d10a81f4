/**
 * `GET /machine/names` with `Upgrade: machine-names`, for the host in front: DNS messages as on TCP (RFC 1035, section
 * 4.2.2), several under way at once. The engine asks, the host answers as its own programs are answered. There is one
 * such host: a newer one ends the older one's connection.
 */
export const hostNamesProtocol = 'machine-names';

/**
 * The host's own name in its machine. A host that answers with this alone, as a CNAME, means its own loopback, whose
 * address in the machine only the engine knows.
 */
export const hostName = 'host.docker.internal';
