/** Where the registries are that requests fail at. */
export interface Registries {
  /** Nobody listens. */
  readonly nobody: string;
  /** The same on loopback, which needs no TLS. */
  readonly local: string;
  /** Speaks no TLS, and is not on loopback. */
  readonly plain: string;
  /** Its certificate is signed by an authority that nobody knows. */
  readonly unknown: string;
  /** The same, with the authority in certs.d. */
  readonly known: string;
  /** Its certificate is for another address. */
  readonly misnamed: string;
  /** Wants certificates of its clients; there is one in certs.d. */
  readonly mutual: string;
  /** The same, without one. */
  readonly stranger: string;
  /** In certs.d there is a certificate of ours without its key. */
  readonly half: string;
  /** On loopback, for everybody; has `app:1`. */
  readonly open: string;
  /** On loopback, for anna with her password. */
  readonly guarded: string;
}

/**
 * A request that fails: status and the sense of the message, as a status or the last line of a stream. Two statuses
 * where dockerd has another, the second.
 */
export type FailedRegistryRequest = readonly [
  title: string,
  line: string,
  credentials: object | null,
  status: number | readonly [ours: number, dockerds: number],
  message: RegExp,
];

const none = `sha256:${'0'.repeat(64)}`;

/** What several requests end with. */
const says = {
  refused: /^Get "https:\/\/\S+:1\/v2\/": dial tcp \S+:1: connect: connection refused$/,
  plain: /^Get "https:\/\/\S+\/v2\/": http: server gave HTTP response to HTTPS client$/,
  strange:
    /^Get "https:.*": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
  misnamed: /^Get "https:.*: x509: certificate is valid for 10\.1\.1\.1, not 10\.66\.77\.1$/,
  half: /^missing key client\.key for client certificate client\.cert/,
  noManifest: /^manifest for \S+ not found: manifest unknown: manifest unknown$/,
};

export function failedRegistryRequests(at: Registries): FailedRegistryRequest[] {
  const pull = (name: string, tag = '1') =>
    `POST /images/create?fromImage=${encodeURIComponent(name)}&tag=${tag}`;
  const push = (name: string) => `POST /images/${name}/push?tag=1`;
  const wrong = { username: 'anna', password: 'guess' };
  const right = { username: 'anna', password: 'secret' };
  return [
    [
      'pull, no such host',
      pull('nosuch.invalid:5000/x'),
      null,
      500,
      /^Get "https:\/\/nosuch\.invalid:5000\/v2\/": dial tcp: lookup nosuch\.invalid( on \S+)?: no such host$/,
    ],
    [
      'pull, official, no such host',
      pull('busybox'),
      null,
      500,
      /^Get "https:.*\/v2\/": dial tcp: lookup \S+( on \S+)?: no such host$/,
    ],
    ['pull, nobody listens', pull(`${at.nobody}/x`), null, 500, says.refused],
    [
      'pull, nobody listens, loopback',
      pull(`${at.local}/x`),
      null,
      500,
      /^Get "http:\/\/127\.0\.0\.1:1\/v2\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    ],
    ['pull, plain', pull(`${at.plain}/x`), null, 500, says.plain],
    ['pull, unknown authority', pull(`${at.unknown}/x`), null, 500, says.strange],
    ['pull, known authority', pull(`${at.known}/x`), null, 404, says.noManifest],
    ['pull, misnamed', pull(`${at.misnamed}/x`), null, 500, says.misnamed],
    ['pull, mutual', pull(`${at.mutual}/x`), null, 404, says.noManifest],
    [
      'pull, stranger',
      pull(`${at.stranger}/x`),
      null,
      500,
      /^Get "https:.*": remote error: tls: (bad certificate|certificate required)$/,
    ],
    ['pull, half', pull(`${at.half}/x`), null, 400, says.half],
    ['pull, name unknown', pull(`${at.open}/nosuch`), null, 404, says.noManifest],
    [
      'pull all, name unknown',
      `POST /images/create?fromImage=${encodeURIComponent(`${at.open}/nosuch`)}`,
      null,
      404,
      /^repository \S+ not found: name unknown: repository name not known to registry$/,
    ],
    ['pull, manifest unknown', pull(`${at.open}/app`, '2'), null, 404, says.noManifest],
    ['pull, digest unknown', pull(`${at.open}/app`, none), null, 404, says.noManifest],
    [
      'pull, platform unknown',
      `${pull(`${at.open}/app`)}&platform=linux/s390x`,
      null,
      200,
      /^image with reference \S+ was found but .*does not match the specified platform/,
    ],
    [
      'pull, no credentials',
      pull(`${at.guarded}/x`),
      null,
      500,
      /^(Get|Head) "http:.*\/manifests\/1": no basic auth credentials$/,
    ],
    [
      'pull, wrong credentials',
      pull(`${at.guarded}/x`),
      wrong,
      500,
      /^(Get|Head) "http:.*\/manifests\/1": no basic auth credentials/,
    ],
    ['pull, right credentials', pull(`${at.guarded}/x`), right, 404, says.noManifest],
    [
      'push, no such host',
      push('nosuch.invalid:5000/x'),
      null,
      200,
      /^An image does not exist locally with the tag: nosuch\.invalid:5000\/x$/,
    ],
    ['push, nobody', push(`${at.nobody}/own`), null, 200, says.refused],
    ['push, plain', push(`${at.plain}/own`), null, 200, says.plain],
    ['push, unknown authority', push(`${at.unknown}/own`), null, 200, says.strange],
    ['push, misnamed', push(`${at.misnamed}/own`), null, 200, says.misnamed],
    ['push, half', push(`${at.half}/own`), null, [200, 400], says.half],
    ['push, no credentials', push(`${at.guarded}/own`), null, 200, /no basic auth credentials$/],
    ['push, wrong credentials', push(`${at.guarded}/own`), wrong, 200, /no basic auth credentials/],
    [
      'login, wrong',
      'POST /auth',
      { ...wrong, serveraddress: at.guarded },
      [401, 500],
      /^login attempt to http:\/\/\S+\/v2\/ failed with status: 401 Unauthorized$/,
    ],
    ['login, nobody', 'POST /auth', { ...wrong, serveraddress: at.nobody }, 500, says.refused],
    ['login, plain', 'POST /auth', { ...wrong, serveraddress: at.plain }, 500, says.plain],
    ['login, unknown authority', 'POST /auth', { ...wrong, serveraddress: at.unknown }, 500, says.strange],
    [
      'login, no such host',
      'POST /auth',
      { ...wrong, serveraddress: 'nosuch.invalid' },
      500,
      /^Get "https:\/\/nosuch\.invalid\/v2\/": dial tcp: lookup nosuch\.invalid( on \S+)?: no such host$/,
    ],
    ['login, half', 'POST /auth', { ...wrong, serveraddress: at.half }, 400, says.half],
    [
      'distribution, name unknown',
      `GET /distribution/${at.open}/nosuch:1/json`,
      null,
      404,
      /manifest unknown: manifest unknown$/,
    ],
    [
      'distribution, manifest unknown',
      `GET /distribution/${at.open}/app:2/json`,
      null,
      404,
      /manifest unknown: manifest unknown$/,
    ],
    ['distribution, nobody', `GET /distribution/${at.nobody}/app:2/json`, null, 500, says.refused],
    ['distribution, plain', `GET /distribution/${at.plain}/app:2/json`, null, 500, says.plain],
    [
      'distribution, unknown authority',
      `GET /distribution/${at.unknown}/app:2/json`,
      null,
      500,
      says.strange,
    ],
    [
      'distribution, no credentials',
      `GET /distribution/${at.guarded}/app:2/json`,
      null,
      500,
      /no basic auth credentials$/,
    ],
    [
      'distribution, wrong credentials',
      `GET /distribution/${at.guarded}/app:2/json`,
      wrong,
      500,
      /no basic auth credentials/,
    ],
    [
      'search, official',
      'GET /images/search?term=x',
      null,
      500,
      /^Get "https:.*": dial tcp: lookup \S+( on \S+)?: no such host$/,
    ],
    [
      'search, plain',
      `GET /images/search?term=${at.plain}/x`,
      null,
      400,
      /^invalid registry endpoint https:\S+: Get .*: http: server gave HTTP response to HTTPS client.*--insecure-registry.*\/etc\/docker\/certs\.d\//,
    ],
    [
      'search, unknown authority',
      `GET /images/search?term=${at.unknown}/x`,
      null,
      400,
      /^invalid registry endpoint https:\S+: Get .*: x509: certificate signed by unknown authority.*--insecure-registry.*\/etc\/docker\/certs\.d\//,
    ],
  ];
}
