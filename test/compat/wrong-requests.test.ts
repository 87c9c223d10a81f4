import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { call } from './http.ts';
import { againstDockerd, cannotPlay, openSubject } from './subject.ts';
import { wrongRequests } from './wrong-requests.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

t.test('wrong requests are refused with the status and the sense of dockerd', { skip }, async (t) => {
  const subject = await openSubject(t);
  await subject.output(['network', 'create', '--subnet', '10.66.9.0/24', 'net']);
  t.teardown(async () => {
    await subject.docker(['rm', '-fv', 'up', 'made']);
    await subject.docker(['network', 'rm', 'net']);
  });
  await subject.output(['create', '--name', 'made', 'busybox', 'true']);
  await subject.output([
    ...['run', '-d', '--name', 'up', '--network', 'net', '-v', 'vol:/vol', 'busybox', 'sleep', '1000'],
  ]);
  t.ok(wrongRequests.length >= 60);
  for (const [line, body, statuses, message, todo] of wrongRequests) {
    const status = typeof statuses === 'number' ? statuses : statuses[againstDockerd ? 1 : 0];
    const [, method = '', path = ''] = /^(\S+) (.*)$/.exec(line)!;
    const answer = await call(
      subject.socket,
      `${method} ${encodeURI(path)}`,
      typeof body === 'string' ? { raw: body } : { body },
    ).catch((error: Error) => ({ status: 0, json: null, text: error.message }));
    // What is wrong with an attachment is said as bytes.
    const { message: said = answer.text } = (answer.json ?? {}) as { message?: string };
    const title = `${line} ${body === undefined ? '' : JSON.stringify(body)}`;
    t.ok(answer.status === status && (status < 400 || message.test(said.trim())), title, {
      expected: `${status} ${message}`,
      found: `${answer.status} ${said || answer.text}`,
      todo: (!againstDockerd && todo) || false,
    });
  }
});
