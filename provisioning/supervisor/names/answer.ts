import { isIP, isIPv4 } from 'node:net';
import {
  answerCount,
  ednsOf,
  parseQuestion,
  type Question,
  recordsOf,
  recordTypes,
  response,
  responseCode,
  responseCodes,
} from '../../../guest/dns/message.ts';
import { addressData, nameData, reverseAddress } from '../../../guest/dns/record-data.ts';
import { hostName } from '../../../guest/wire/index.ts';
import type { SystemResolver } from './lookups.ts';

/** Whom a question can be put to on this computer. */
export interface Sources {
  readonly system: SystemResolver;
  /** The name servers, with the message as it is; null when none answers. */
  readonly nameServers: (query: Buffer) => Promise<Buffer | null>;
  readonly isInHostsFile: (name: string) => Promise<boolean>;
}

/**
 * A hosts file may change, and a VPN come up, at any time, and neither says how long what it says is good for. Programs
 * that ask again and again still have something from remembering.
 */
const ttlSeconds = 5;

/**
 * Answers a query as this computer's own programs would be answered: addresses and names of addresses by the system's
 * resolver, all else, and what that does not know, by the name servers. Null for what is no query.
 */
export async function answerAsHost(query: Buffer, sources: Sources): Promise<Buffer | null> {
  const question = parseQuestion(query);
  if (question === null) return null;
  const { name, type } = question;
  const isAddress = type === recordTypes.A || type === recordTypes.AAAA;
  const address = type === recordTypes.PTR ? reverseAddress(name) : null;
  // Who checks signatures needs the records as they are signed.
  const isSigned = ednsOf(query, question)?.dnssec ?? false;
  if (isAddress && isHostName(name) && !isSigned) return await answerAddresses(query, question, sources);
  if (address !== null && isIP(address) !== 0) return await answerNames(query, question, address, sources);
  return await answerOther(query, question, sources);
}

/**
 * What may be looked up as a host's name: letters, digits, `-` and `_` (RFC 1123, section 2.1, and what people have
 * besides). Not what `getaddrinfo` would read as an address, such as `127.1` or `0x7f000001`.
 */
export function isHostName(name: string): boolean {
  const labels = name.split('.');
  const last = labels.at(-1)!;
  return (
    name.length <= 253 &&
    labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) &&
    !/^(?:\d+|0x[0-9a-f]*)$/.test(last)
  );
}

async function answerAddresses(query: Buffer, question: Question, sources: Sources): Promise<Buffer> {
  const { name, type } = question;
  const found = await sources.system.addresses(name);
  if (found === 'failed') return failure(query, question);
  if (found === 'unknown') return await answerUnknown(query, question, sources);
  const elsewhere = found.filter((address) => !isLoopbackAddress(address));
  if (elsewhere.length === 0) return await answerLoopback(query, question, found, sources);
  const asked = elsewhere.filter((address) => isIPv4(address) === (type === recordTypes.A));
  // A zone, `fe80::1%eth0`, means nothing elsewhere.
  const plain = asked.filter((address) => !address.includes('%'));
  return answer(query, question, plain.map(addressData));
}

/** The name servers say whether it is the name that is not there, or the records only, and for how long. */
async function answerUnknown(query: Buffer, question: Question, { nameServers }: Sources): Promise<Buffer> {
  const said = await nameServers(query);
  const isNegative = said !== null && isConclusive(said) && !hasAsked(said, question);
  return isNegative ? said : answer(query, question, [], responseCodes.nameError);
}

/**
 * This computer's loopback would be the asker's own. A name that only this computer knows means this computer; one that
 * the name servers have with such an address means what they say (lists of bad senders answer 127.0.0.2).
 */
async function answerLoopback(
  query: Buffer,
  question: Question,
  found: readonly string[],
  { nameServers, isInHostsFile }: Sources,
): Promise<Buffer> {
  if (!(await isInHostsFile(question.name))) {
    const said = await nameServers(query);
    const asked = found.some((address) => isIPv4(address) === (question.type === recordTypes.A));
    const isKnown = said !== null && responseCode(said) === responseCodes.ok;
    if (isKnown && (hasAsked(said, question) || !asked)) return said;
  }
  return response(query, question, {
    ...{ code: responseCodes.ok, ttlSeconds, authoritative: false },
    type: recordTypes.CNAME,
    records: [nameData(hostName)],
  });
}

async function answerNames(
  query: Buffer,
  question: Question,
  address: string,
  sources: Sources,
): Promise<Buffer> {
  const found = await sources.system.names(address);
  if (typeof found !== 'string') return answer(query, question, found.map(nameData));
  return (await sources.nameServers(query)) ?? failure(query, question);
}

async function answerOther(query: Buffer, question: Question, sources: Sources): Promise<Buffer> {
  const said = await sources.nameServers(query);
  const isKnown = said !== null && isConclusive(said) && responseCode(said) !== responseCodes.nameError;
  if (isKnown || !isHostName(question.name)) return said ?? failure(query, question);
  // That a name does not exist would be believed for its addresses, too, which the hosts file may have.
  const found = await sources.system.addresses(question.name);
  if (typeof found !== 'string') return answer(query, question, []);
  return said ?? failure(query, question);
}

function answer(
  query: Buffer,
  question: Question,
  records: readonly Buffer[],
  code: number = responseCodes.ok,
): Buffer {
  return response(query, question, { code, records, ttlSeconds, authoritative: false });
}

/** It may be known the next time. */
export function failure(query: Buffer, question: Question): Buffer {
  return answer(query, question, [], responseCodes.serverFailure);
}

/** Whether it has records of the type that was asked for. */
function hasAsked(said: Buffer, question: Question): boolean {
  const places = [...recordsOf(said, question)].slice(0, answerCount(said));
  return places.some(({ type }) => type === question.type);
}

function isConclusive(said: Buffer): boolean {
  const conclusive: readonly number[] = [responseCodes.ok, responseCodes.nameError];
  return conclusive.includes(responseCode(said));
}

function isLoopbackAddress(address: string): boolean {
  return /^(?:::ffff:)?127\./.test(address) || address === '::1';
}
