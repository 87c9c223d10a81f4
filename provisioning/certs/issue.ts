import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';

/** A certificate and its private key, both PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;
/** So that a guest whose clock is a little behind accepts a certificate made just now. */
const clockSkewMs = 5 * 60_000;
const authorityDays = 3650;
const leafDays = 1080;

interface Issue {
  /** PEM of the subject's private key. */
  readonly key: string;
  readonly now?: Date;
}

/** A self-signed authority that can sign certificates and nothing else. */
export function issueAuthority({ key, now = new Date() }: Issue): Identity {
  const { certificate, privateKey } = prepare(key, now, authorityDays);
  const subject = [
    { name: 'commonName', value: 'machine CA' },
    { name: 'serialNumber', value: randomBytes(8).toString('hex') },
  ];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return sign(certificate, privateKey, key);
}

/** For TLS servers that are reached under `names`: host names and IP addresses. */
export function issueServer({
  authority,
  names,
  commonName,
  ...issue
}: Issue & { authority: Identity; names: readonly string[]; commonName: string }): Identity {
  const altNames = names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }));
  return issueLeaf(authority, issue, commonName, [
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
  ]);
}

/** For a user of the engine's API. */
export function issueClient({ authority, ...issue }: Issue & { authority: Identity }): Identity {
  return issueLeaf(authority, issue, 'machine client', [{ name: 'extKeyUsage', clientAuth: true }]);
}

function issueLeaf(
  authority: Identity,
  { key, now = new Date() }: Issue,
  commonName: string,
  uses: object[],
) {
  const issuer = forge.pki.certificateFromPem(authority.cert);
  const { certificate } = prepare(key, now, leafDays);
  certificate.setSubject([{ name: 'commonName', value: commonName }]);
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
    ...uses,
  ]);
  return sign(certificate, forge.pki.privateKeyFromPem(authority.key), key);
}

function prepare(key: string, now: Date, days: number) {
  const certificate = forge.pki.createCertificate();
  const privateKey = forge.pki.privateKeyFromPem(key);
  certificate.publicKey = forge.pki.setRsaPublicKey(privateKey.n, privateKey.e);
  // RFC 5280, 4.1.2.2: positive, at most 20 bytes; the first byte keeps it positive and never zero.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(now.getTime() - clockSkewMs);
  certificate.validity.notAfter = new Date(now.getTime() + days * dayMs);
  return { certificate, privateKey };
}

function sign(certificate: forge.pki.Certificate, signer: forge.pki.rsa.PrivateKey, key: string): Identity {
  certificate.sign(signer, forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n'), key };
}
