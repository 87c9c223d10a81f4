import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

/** PKCS #1 PEM of a new RSA key, made in a thread of its own. RSA, because node-forge knows no other. */
export async function rsaPrivateKey(bits: 2048 | 3072): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}
