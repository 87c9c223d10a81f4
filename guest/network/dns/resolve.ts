import { parseQuestion, recordTypes, response, responseCodes } from '../../dns/message.ts';
import { addressData, nameData, reverseAddress } from '../../dns/record-data.ts';
import { type Family, familyOf } from '../../ip.ts';
import { addressOf, type EndpointRecord } from '../endpoint.ts';
import { hostNames } from '../files/host-names.ts';
import { parseLink } from '../sandbox/container-link.ts';

/** What the embedded server knows when it is asked; pure. */
export interface Neighbourhood {
  /** The asking container's own endpoints. */
  readonly own: readonly EndpointRecord[];
  /** Endpoints of every container. */
  readonly endpoints: readonly EndpointRecord[];
  /** Address of the host in front of this one, which has names too (files/host-names.ts); null: there is none. */
  readonly host: string | null;
  /** Puts several addresses in another order each time. */
  readonly shuffle: <T>(items: readonly T[]) => T[];
}

/** An address may be reused once its container is gone; clients are to ask again soon. */
const ttlSeconds = 5;

/** The answer for a name of a neighbour's, at once; null when the question is for the servers outside. */
export function answerLocally(
  query: Buffer,
  { own, endpoints, host, shuffle }: Neighbourhood,
): Buffer | null {
  const question = parseQuestion(query);
  if (!question) return null;
  const networks = new Set(own.map(({ networkId }) => networkId));
  const near = endpoints.filter(
    ({ link, dnsNames, networkId }) => link && dnsNames && networks.has(networkId),
  );
  const answer = (records: readonly Buffer[]) =>
    response(query, question, { code: responseCodes.ok, records, ttlSeconds });

  const reverse = reverseAddress(question.name);
  if (reverse !== null) {
    const owner = near.find(({ link }) => link!.ipv4?.address === reverse || link!.ipv6?.address === reverse);
    if (!owner) return null;
    const name = `${owner.dnsNames![0]}.${owner.networkName}`;
    return answer(question.type === recordTypes.PTR ? [nameData(name)] : []);
  }
  const linked = own.flatMap((endpoint) => linkedEndpoints(endpoint, near, question.name));
  const found = linked.length > 0 ? linked : near.filter((endpoint) => isCalled(endpoint, question.name));
  const family = familyAsked(question.type);
  if (found.length === 0) {
    if (host === null || !hostNames.includes(question.name)) return null;
    return answer(family === familyOf(host) ? [addressData(host)] : []);
  }
  // The name is there; other types of records are not, which is no error.
  if (family === null) return answer([]);
  const addresses = new Set(found.flatMap((endpoint) => addressOf(endpoint, family)?.address ?? []));
  return answer(shuffle([...addresses]).map(addressData));
}

/** The answer when nobody outside can be asked. */
export function refusal(query: Buffer): Buffer | null {
  const question = parseQuestion(query);
  return (
    question && response(query, question, { code: responseCodes.serverFailure, records: [], ttlSeconds })
  );
}

export function familyAsked(type: number): Family | null {
  if (type === recordTypes.A) return 4;
  return type === recordTypes.AAAA ? 6 : null;
}

/** Neighbours in the same network that the asking endpoint has given a name of its own. */
function linkedEndpoints(
  { asked, networkId, networkName }: EndpointRecord,
  near: readonly EndpointRecord[],
  name: string,
): EndpointRecord[] {
  const targets = (asked.Links ?? [])
    .map(parseLink)
    .filter(({ alias }) => isName(alias, networkName, name))
    .map(({ target }) => target.toLowerCase());
  return near.filter(
    (endpoint) => endpoint.networkId === networkId && targets.some((target) => isCalled(endpoint, target)),
  );
}

function isCalled({ dnsNames, networkName }: EndpointRecord, name: string): boolean {
  return dnsNames!.some((own) => isName(own, networkName, name));
}

/** `web`, or `web.network`. */
function isName(own: string, networkName: string, name: string): boolean {
  const lower = own.toLowerCase();
  return name === lower || name === `${lower}.${networkName.toLowerCase()}`;
}
