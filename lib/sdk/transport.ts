import { quote, SessionBrokerError } from '../errors.ts';

/** The services that are called. */
export type Service = 'STS' | 'SSM' | 'IAM' | 'EKS' | 'CloudTrail';

/** What is done about plain http outside loopback. */
export interface TransportRule {
  readonly allowInsecureEndpoint: boolean;
  readonly warn: (message: string) => void;
}

/**
 * An endpoint given as an option.
 * @param text an https URL; http is left to {@link createTransportCheck}
 * @throws {SessionBrokerError} EndpointInvalid
 */
export function parseEndpoint(text: string): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new SessionBrokerError(
      'EndpointInvalid',
      `endpoint must be an https URL: ${quote(withoutUserInfo(text))}; write it like "https://sts.us-west-2.amazonaws.com"`,
    );
  }
  return url;
}

/** A text that may be a URL, without what may be a password: everything before its last "@". */
function withoutUserInfo(text: unknown): unknown {
  return typeof text === 'string' ? text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1[redacted]@') : text;
}

/** Refuses a destination to which a request would travel in the clear. */
export type TransportCheck = (service: Service, destination: unknown) => void;

/**
 * Requests carry a web-identity token or a session token, so they travel by https, or by http on
 * loopback. With `allowInsecureEndpoint` any http is let through, and each destination is warned of once.
 */
export function createTransportCheck({ allowInsecureEndpoint, warn }: TransportRule): TransportCheck {
  const warned = new Set<string>();
  return (service, destination) => {
    const { protocol, hostname } = (destination ?? {}) as { protocol?: unknown; hostname?: unknown };
    if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return;
    const origin = `${protocol}//${hostname}`;
    if (protocol !== 'http:' || !allowInsecureEndpoint) {
      throw new SessionBrokerError(
        'EndpointInsecure',
        `${service} endpoint must use https, except on loopback: ${quote(origin)}; correct AWS_ENDPOINT_URL_${service.toUpperCase()}, AWS_ENDPOINT_URL or endpoint_url in the profile (in code also the option endpoint, or set allowInsecureEndpoint if nobody else can reach the network)`,
        { detail: { service, endpoint: origin } },
      );
    }
    if (warned.has(origin)) return;
    warned.add(origin);
    warn(
      `allowInsecureEndpoint is set: requests to ${service} at ${quote(origin)} and the credentials in the answers travel without encryption`,
    );
  };
}

/** 127.0.0.0/8, ::1 and localhost, in the form that URL gives them. */
function isLoopback(hostname: unknown): boolean {
  return typeof hostname === 'string' && /^(?:127(?:\.\d{1,3}){3}|\[?::1\]?|localhost)$/.test(hostname);
}

type Next<Args, Result> = (args: Args) => Promise<Result>;

/** SDK middleware that checks each request as it is about to be sent, before it is signed. */
export function checkTransport(check: TransportCheck, service: Service) {
  return <Args extends { readonly request: unknown }, Result>(next: Next<Args, Result>): Next<Args, Result> =>
    async (args) => {
      check(service, args.request);
      return next(args);
    };
}

/** SDK middleware that ends a call where it would leave: the checks before it have seen the request. */
export function stopBeforeSending() {
  return <Args, Result>(_next: Next<Args, Result>): Next<Args, Result> =>
    async () =>
      ({ response: undefined, output: { $metadata: {} } }) as Result;
}
