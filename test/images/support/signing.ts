import { createCleartextMessage, generateKey, type PrivateKey, readPrivateKey, sign } from 'openpgp';
import type { TrustedKeys } from '../../../images/debian/in-release.ts';

export interface Signer {
  /** What a verifier pins. */
  readonly keys: TrustedKeys;
  sign(text: string, date?: Date): Promise<string>;
}

/** A signing key of its own. */
export async function newSigner(): Promise<Signer> {
  const { privateKey, publicKey } = await generateKey({
    userIDs: [{ name: 'Test archive', email: 'test@archive.example' }],
    type: 'ecc',
    format: 'armored',
    date: new Date('2020-01-01'),
  });
  const key: PrivateKey = await readPrivateKey({ armoredKey: privateKey });
  return {
    keys: { armored: publicKey, fingerprints: [key.getFingerprint()] },
    sign: async (text, date = new Date()) =>
      sign({ message: await createCleartextMessage({ text }), signingKeys: key, date }),
  };
}
