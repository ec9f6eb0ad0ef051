import { EMPTY_FILE, type Variables } from '../credential-variables.ts';
import { quote, SessionBrokerError } from '../errors.ts';
import { parseSourceIdentity } from '../identity/index.ts';

/** What SDKs take before the endpoint, each if all of its variables are set. */
const OTHER_SOURCES = [
  ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
  ['AWS_PROFILE'],
  ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
];

/** Files that may hold a default profile, unless they are pointed at nothing. */
const PROFILE_FILES = ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'];

/**
 * Refuses to start a session from within one. What `exec` starts has the session's credentials and no others, and a
 * session is no dispatcher: AWS would refuse it, for a reason that is less to the point.
 * @throws {SessionBrokerError} DispatcherCredentialsMissing
 */
export function refuseInsideSession(environment: Variables): void {
  const sourceIdentity = sessionOf(environment);
  if (sourceIdentity === undefined) return;
  throw new SessionBrokerError(
    'DispatcherCredentialsMissing',
    `dispatcher must have credentials of the tenant role: this process is the session ${quote(sourceIdentity)} already, by AWS_CONTAINER_CREDENTIALS_FULL_URI, and cannot start another; run the command outside of session-broker exec`,
  );
}

/** The source identity under which this process calls AWS, if an endpoint of ours is all that it has. */
function sessionOf(environment: Variables): string | undefined {
  const hasOther = OTHER_SOURCES.some((names) => names.every((name) => environment[name]));
  if (hasOther || PROFILE_FILES.some((name) => environment[name] !== EMPTY_FILE)) return undefined;
  const uri = environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '';
  const [, name = ''] = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?\/credentials\/([^/?#]+)$/.exec(uri) ?? [];
  try {
    parseSourceIdentity(name);
    return name;
  } catch {
    return undefined;
  }
}
