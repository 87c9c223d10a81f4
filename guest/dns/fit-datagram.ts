import { answerCount, ednsOf, ownOpt, questionOf, recordsOf } from './message.ts';

/**
 * The response as it fits the asker's datagrams: whole, or as many of its answers as have room, marked as cut, which
 * makes who needs them all ask by TCP.
 */
export function fitDatagram(answer: Buffer, query: Buffer): Buffer {
  const question = questionOf(query);
  const edns = question && ednsOf(query, question);
  // RFC 1035, 4.2.1; and no more than an asker with EDNS usually says.
  const limit = Math.min(Math.max(edns?.payloadBytes ?? 512, 512), 4096);
  if (answer.length <= limit || question === null) return answer;
  const opt = edns === null ? [] : [ownOpt];
  const room = limit - opt.length * ownOpt.length;
  let end = question.end;
  let kept = 0;
  for (const record of recordsOf(answer, question)) {
    if (kept === answerCount(answer) || record.end > room) break;
    end = record.end;
    kept += 1;
  }
  const cut = Buffer.concat([answer.subarray(0, end), ...opt]);
  cut[2]! |= 0x02;
  for (const [at, count] of [
    [6, kept],
    [8, 0],
    [10, opt.length],
  ] as const)
    cut.writeUInt16BE(count, at);
  return cut;
}
