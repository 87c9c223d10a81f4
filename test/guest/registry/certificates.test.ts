import t from 'tap';
import { readCertificates } from '../../../guest/registry/certificates.ts';

t.test('authorities and pairs of a registry are found by their endings', async (t) => {
  const directory = t.testdir({
    'reg.test:5000': {
      'ca.crt': 'CA',
      'more.crt': 'MORE',
      'client.cert': 'CERT',
      'client.key': 'KEY',
      note: '',
    },
    half: { 'client.cert': 'CERT' },
    other: { 'client.key': 'KEY' },
  });
  t.same(await readCertificates(directory, 'reg.test:5000'), {
    ca: ['CA', 'MORE'],
    client: [{ cert: 'CERT', key: 'KEY' }],
  });
  t.same(await readCertificates(directory, 'reg.test'), { ca: [], client: [] });
  await t.rejects(readCertificates(directory, 'half'), {
    message: /missing key client\.key for client certificate client\.cert in ".*half"/,
  });
  await t.rejects(readCertificates(directory, 'other'), {
    message: /missing client certificate client\.cert for key client\.key in ".*other"/,
  });
});
