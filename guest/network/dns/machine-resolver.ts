import {
  answerCount,
  parseQuestion,
  type Question,
  questionOf,
  recordsOf,
  recordTypes,
  response,
  responseCodes,
} from '../../dns/message.ts';
import { addressData, nameData, reverseAddress } from '../../dns/record-data.ts';
import { askUpstream } from '../../dns/upstream.ts';
import { familyOf, isLoopback, parseAddress } from '../../ip.ts';
import { hostName } from '../../wire/index.ts';
import { hostNames } from '../files/host-names.ts';
import { AskingBounds } from './asking-bounds.ts';
import type { HostStream } from './host-stream.ts';
import { familyAsked, refusal } from './resolve.ts';

/** Where a machine's name server is: in its resolv.conf, and in those of containers on the default network. */
export interface ResolverPlace {
  readonly address: string;
  /** The server to ask while no host is connected. */
  readonly otherwise: string;
}

export interface ResolverParts extends ResolverPlace {
  /** The host's address in this machine. */
  readonly hostAddress: string;
  readonly host: Pick<HostStream, 'ask'>;
}

/** As long as the embedded server's answers for neighbours. */
const ttlSeconds = 5;
/** Longer questions are nobody's. */
const longestQuery = 4096;

/** Answers what a machine does not know by itself, as the host in front does; see docs/decisions/0021-names.md. */
export class MachineResolver {
  readonly address: string;
  readonly #parts: ResolverParts;
  readonly #bounds = new AskingBounds();

  constructor(parts: ResolverParts) {
    this.address = parts.address;
    this.#parts = parts;
  }

  /** Null for what is no query. Never rejects. @param asker whose question it is; each has a share of what may be under way */
  async answer(query: Buffer, asker: string, transport: 'udp' | 'tcp'): Promise<Buffer | null> {
    const { hostAddress, host, otherwise } = this.#parts;
    const question = query.length > longestQuery ? null : parseQuestion(query);
    if (question === null) return null;
    const own = answerOwn(query, question, hostAddress);
    if (own !== null) return own;
    const answer = await this.#bounds
      .within(
        asker,
        async () => (await host.ask(query)) ?? (await askUpstream(query, [otherwise], transport)),
      )
      .catch(() => null);
    return answer === null ? refusal(query) : atHost(query, answer, hostAddress);
  }
}

/** Names that mean the asker itself (RFC 6761, section 6.3), or the host; null for others. */
export function answerOwn(query: Buffer, question: Question, hostAddress: string): Buffer | null {
  const { name, type } = question;
  const answer = (records: readonly Buffer[]) =>
    response(query, question, { code: responseCodes.ok, records, ttlSeconds });
  const family = familyAsked(type);
  const reverse = parseAddress(reverseAddress(name) ?? '');
  if (reverse !== null && isLoopback(reverse))
    return answer(type === recordTypes.PTR ? [nameData('localhost')] : []);
  if (name === 'localhost' || name.endsWith('.localhost'))
    return answer(family === null ? [] : [addressData(family === 4 ? '127.0.0.1' : '::1')]);
  if (!hostNames.includes(name)) return null;
  return answer(family === familyOf(hostAddress) ? [addressData(hostAddress)] : []);
}

/** A host that answers with its own name means its loopback, which is at `hostAddress` here. */
function atHost(query: Buffer, answer: Buffer, hostAddress: string): Buffer {
  const question = questionOf(answer);
  if (question === null || answerCount(answer) !== 1) return answer;
  const [record] = recordsOf(answer, question);
  const isHost =
    record?.type === recordTypes.CNAME &&
    answer.subarray(record.dataStart, record.end).equals(nameData(hostName));
  if (!isHost) return answer;
  const isAsked = familyAsked(question.type) === familyOf(hostAddress);
  const records = isAsked ? [addressData(hostAddress)] : [];
  return response(query, question, { code: responseCodes.ok, records, ttlSeconds });
}
