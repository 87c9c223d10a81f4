/** Why a connection failed, in the words that users of Docker look for. */
export function reasonOf(error: unknown, url: URL): string {
  const {
    code = '',
    message = String(error),
    address,
    port,
    hostname: host = url.hostname,
    cert,
  } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
    /** That was looked up. */
    hostname?: string;
    /** That does not have the name. */
    cert?: { readonly subjectaltname?: string };
  };
  // Several addresses of one name were tried.
  const inner = (error as AggregateError).errors?.[0];
  if (inner) return reasonOf(inner, url);
  const target =
    address === undefined ? url.host : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${target}: connect: connection refused`;
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return `dial tcp ${target}: connect: no route to host`;
    case 'ETIMEDOUT':
      return `dial tcp ${target}: i/o timeout`;
    case 'ENOTFOUND':
      return `dial tcp: lookup ${host}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: temporary failure in name resolution`;
    case 'ECONNRESET':
      return 'the connection was cut';
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client';
    case 'EPROTO':
      return message.includes('wrong version number')
        ? 'http: server gave HTTP response to HTTPS client'
        : `tls: ${message}`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: certificate is valid for ${namesOf(cert)}, not ${host.replace(/^\[|\]$/g, '')}`;
    case 'HPE_HEADER_OVERFLOW':
      return 'the answer has too large a header';
    default:
      if (code.startsWith('ERR_SSL_') && /\balert \w/.test(message))
        return `remote error: tls: ${/\balert ([a-z ]+)/.exec(message)?.[1] ?? message}`;
      return code.startsWith('HPE_') ? `malformed HTTP response (${code})` : message;
  }
}

/** `DNS:a.test, IP Address:10.1.1.1` as a list of names. */
function namesOf(cert: { readonly subjectaltname?: string } | undefined): string {
  const names = (cert?.subjectaltname ?? '').split(', ').map((name) => name.replace(/^[^:]*:/, ''));
  return names.filter(Boolean).join(', ') || 'nothing';
}
