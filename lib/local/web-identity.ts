import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { ClusterConfig } from '../config/config.ts';
import { type Partition, partitionOf } from '../identity/index.ts';
import { AwsFault } from './aws-fault.ts';
import type { WebIdentity } from './store.ts';

/** The audience of the tokens that EKS projects for IRSA. */
export const AUDIENCE = 'sts.amazonaws.com';

/** How long EKS lets a projected token live. */
const TOKEN_SECONDS = 86_400;

/** How an EKS cluster's issuer is called: `oidc.eks.<region>.amazonaws.com/id/<32 hexadecimal digits>`. */
export function issuerOf(cluster: Pick<ClusterConfig, 'account' | 'region' | 'eksClusterName'>): string {
  const name = `${cluster.account}/${cluster.region}/${cluster.eksClusterName}`;
  const id = createHash('sha256').update(name).digest('hex');
  const suffix = partitionOf(cluster.region) === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `oidc.eks.${cluster.region}.${suffix}/id/${id.slice(0, 32).toUpperCase()}`;
}

/** The subject of the tenant's dispatcher, a Kubernetes service account. */
export function subjectOf(tenant: string): string {
  return `system:serviceaccount:${tenant}:dispatcher`;
}

/** ARN of an issuer's identity provider in an account. */
export function providerArn(partition: Partition, account: string, issuer: string): string {
  return `arn:${partition}:iam::${account}:oidc-provider/${issuer}`;
}

/** The issuer of the clusters' web identity tokens, and the identity providers that trust it. */
export class WebIdentityIssuer {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #keyId = createHash('sha256')
    .update(this.#keys.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 40);
  readonly #providers = new Set<string>();

  /** Creates the identity provider of an issuer in an account. */
  addProvider(provider: string): void {
    this.#providers.add(provider);
  }

  /** A signed token, as EKS projects it into a pod. */
  mint(issuer: string, subject: string, now: Date, audience: string = AUDIENCE): string {
    const issuedAt = seconds(now);
    const claims = {
      iss: `https://${issuer}`,
      sub: subject,
      aud: [audience],
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + TOKEN_SECONDS,
    };
    const text = [{ alg: 'ES256', kid: this.#keyId, typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(text), { key: this.#keys.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }

  /**
   * Verifies a token against the identity providers of an account.
   * @throws {AwsFault} InvalidIdentityToken, ExpiredTokenException
   */
  verify(token: string, partition: Partition, account: string, now: Date): WebIdentity {
    const [encodedHeader, encodedClaims, signature, ...rest] = token.split('.');
    const header = decode(encodedHeader);
    const claims = decode(encodedClaims);
    if (header === undefined || claims === undefined || !signature || rest.length > 0) {
      throw invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
    }
    const { iss, sub, aud, iat, exp } = claims;
    if (typeof iss !== 'string' || typeof sub !== 'string' || !Number.isInteger(iat) || !Number.isInteger(exp)) {
      throw invalid('Missing a required claim: iss, sub, aud, iat and exp are needed');
    }
    const issuer = iss.replace(/^https:\/\//, '');
    const provider = providerArn(partition, account, issuer);
    if (!iss.startsWith('https://') || !this.#providers.has(provider)) {
      throw invalid(`No OpenIDConnect provider found in your account for ${iss}`);
    }
    const isOurs =
      header['alg'] === 'ES256' &&
      header['kid'] === this.#keyId &&
      verify(
        'sha256',
        Buffer.from(`${encodedHeader}.${encodedClaims}`),
        { key: this.#keys.publicKey, dsaEncoding: 'ieee-p1363' },
        Buffer.from(signature, 'base64url'),
      );
    if (!isOurs) {
      throw invalid(
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
      );
    }
    if (!(Array.isArray(aud) ? aud : [aud]).includes(AUDIENCE)) throw invalid('Incorrect token audience');
    if (seconds(now) >= Number(exp)) {
      throw new AwsFault(
        'ExpiredTokenException',
        400,
        `Token expired: current date/time ${seconds(now)} must be before the expiration date/time ${exp}`,
      );
    }
    return { provider, issuer, subject: sub, audience: AUDIENCE };
  }
}

function decode(part: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function seconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

function invalid(message: string): AwsFault {
  return new AwsFault('InvalidIdentityToken', 400, message);
}
