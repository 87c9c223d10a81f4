import type { EndpointRecord } from '../endpoint.ts';
import {
  addressData,
  nameData,
  parseQuestion,
  recordTypes,
  response,
  responseCodes,
  reverseAddress,
} from './dns-message.ts';

/** What the embedded server knows when it is asked; pure. */
export interface Neighbourhood {
  /** The asking container's networks, by id. */
  readonly networks: ReadonlySet<string>;
  /** Endpoints of every container. */
  readonly endpoints: readonly EndpointRecord[];
  /** Puts several addresses in another order each time. */
  readonly shuffle: <T>(items: readonly T[]) => T[];
}

/** An address may be reused once its container is gone; clients are to ask again soon. */
const ttlSeconds = 5;

/** The answer for a name of a neighbour's, at once; null when the question is for the servers outside. */
export function answerLocally(query: Buffer, neighbourhood: Neighbourhood): Buffer | null {
  const question = parseQuestion(query);
  if (!question) return null;
  const near = neighbourhood.endpoints.filter(
    (endpoint) => endpoint.link && endpoint.dnsNames && neighbourhood.networks.has(endpoint.networkId),
  );
  const answer = (records: readonly Buffer[]) =>
    response(query, question, { code: responseCodes.ok, records, ttlSeconds });

  const reverse = reverseAddress(question.name);
  if (reverse !== null) {
    const owner = near.find(({ link }) => link!.address === reverse);
    if (!owner) return null;
    const name = `${owner.dnsNames![0]}.${owner.networkName}`;
    return answer(question.type === recordTypes.PTR ? [nameData(name)] : []);
  }
  const found = near.filter((endpoint) => isCalled(endpoint, question.name));
  if (found.length === 0) return null;
  // The name is there; other types of records (AAAA) are not, which is no error.
  if (question.type !== recordTypes.A) return answer([]);
  const addresses = [...new Set(found.map(({ link }) => link!.address))];
  return answer(neighbourhood.shuffle(addresses).map(addressData));
}

/** The answer when nobody outside can be asked. */
export function refusal(query: Buffer): Buffer | null {
  const question = parseQuestion(query);
  return (
    question && response(query, question, { code: responseCodes.serverFailure, records: [], ttlSeconds })
  );
}

/** `web`, or `web.network`. */
function isCalled({ dnsNames, networkName }: EndpointRecord, name: string): boolean {
  return dnsNames!.some((own) => {
    const lower = own.toLowerCase();
    return name === lower || name === `${lower}.${networkName.toLowerCase()}`;
  });
}
