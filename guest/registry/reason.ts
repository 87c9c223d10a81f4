/** Why a connection failed, in the words that users of Docker look for. */
export function reasonOf(error: unknown, url: URL): string {
  const {
    code = '',
    message = String(error),
    address,
    port,
    hostname: host = url.hostname,
  } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
    /** That was looked up. */
    hostname?: string;
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
      return `tls: failed to verify certificate: x509: certificate is not valid for ${host}`;
    case 'HPE_HEADER_OVERFLOW':
      return 'the answer has too large a header';
    default:
      return code.startsWith('HPE_') ? `malformed HTTP response (${code})` : message;
  }
}
