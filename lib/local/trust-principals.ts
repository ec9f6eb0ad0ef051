import {
  listOf,
  type OneOrMany,
  oneOrMany,
  type PolicyDocument,
  parsePolicyDocument,
  type Statement,
} from '../policy/index.ts';
import { malformedPolicyDocument } from './aws-fault.ts';
import type { Store } from './store.ts';

/**
 * A trust policy as IAM stores it: a role in `Principal` by its unique id, so that a role created again under the
 * same name is another principal.
 * @throws {AwsFault} MalformedPolicyDocument for a principal that does not exist
 * @see IAM User Guide, "AWS JSON policy elements: Principal"
 */
export function storedTrust(document: PolicyDocument, store: Store): PolicyDocument {
  const stored = mapPrincipals(document, (principal) => {
    if (principal === '*' || /^\d{12}$/.test(principal)) return principal;
    if (/^arn:[a-z-]+:iam::\d{12}:root$/.test(principal)) return principal;
    const role = store.findRoleByArn(principal) ?? store.findRoleById(principal);
    if (role !== undefined) return role.id;
    if (store.findUser(principal) !== undefined) return principal;
    const session = /^arn:[a-z-]+:sts::(\d{12}):assumed-role\/([^/]+)\/[^/]+$/.exec(principal);
    if (session?.[1] && session[2] && store.findRole(session[1], session[2])) return principal;
    throw malformedPolicyDocument(`Invalid principal in policy: "AWS":"${principal}"`);
  });
  return parsePolicyDocument(stored, 'trust policy');
}

/** A stored trust policy as IAM shows it: a role by its ARN while it exists, by its unique id afterwards. */
export function shownTrust(document: PolicyDocument, store: Store): PolicyDocument {
  return mapPrincipals(document, (principal) => store.findRoleById(principal)?.arn ?? principal);
}

function mapPrincipals(document: PolicyDocument, map: (principal: string) => string): PolicyDocument {
  const mapElement = (element: Statement['Principal']): Statement['Principal'] => {
    if (element === undefined || typeof element === 'string') return element;
    const { AWS, ...others } = element;
    return AWS === undefined ? element : { ...others, AWS: oneOrMany(listOf<string>(AWS).map(map)) };
  };
  const statements = listOf<Statement>(document.Statement as OneOrMany<Statement>).map((statement) => ({
    ...statement,
    ...(statement.Principal === undefined ? {} : { Principal: mapElement(statement.Principal) }),
    ...(statement.NotPrincipal === undefined ? {} : { NotPrincipal: mapElement(statement.NotPrincipal) }),
  }));
  return { ...document, Statement: statements as Statement[] };
}
