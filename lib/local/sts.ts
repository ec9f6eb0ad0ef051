import type { Partition } from '../identity/index.ts';
import { SESSION_POLICIES_LENGTH, SESSION_POLICY_ARNS } from '../identity/limits.ts';
import { evaluate, evaluateAssumeRole } from '../policy/index.ts';
import { assumeRoleDenied, contextOf, policiesOf, requesterOf, resourceTags } from './authorize.ts';
import { accessDenied, notModelled, validationError } from './aws-fault.ts';
import { type Call, callerOf, type Environment } from './call.ts';
import { cloudTrailTime } from './cloudtrail.ts';
import { Constraints, NAME_PATTERN } from './constraints.ts';
import type { QueryParameters, XmlValue } from './query.ts';
import { policyParameters, readSessionPolicies } from './session-policies.ts';
import { inheritedTagsOf, readTags, readTransitiveTagKeys } from './session-tags.ts';
import { accountOf, arnOf, idOf, type Role, type RoleSession, type SessionPolicy, type WebIdentity } from './store.ts';

type Answer = { readonly [name: string]: XmlValue };

/** @see STS API Reference, AssumeRole, DurationSeconds; IAM User Guide, "Roles terms and concepts", role chaining */
const DURATION_SECONDS = { min: 900, max: 43_200, default: 3600, chained: 3600 } as const;

const ASSUME_ROLE_PARAMETERS = [
  'RoleArn',
  'RoleSessionName',
  'SourceIdentity',
  'DurationSeconds',
  'ExternalId',
  'Policy',
  'PolicyArns.member.N.arn',
  'Tags.member.N.Key',
  'Tags.member.N.Value',
  'TransitiveTagKeys.member.N',
];

const WEB_IDENTITY_PARAMETERS = [
  'RoleArn',
  'RoleSessionName',
  'WebIdentityToken',
  'DurationSeconds',
  'Policy',
  'PolicyArns.member.N.arn',
];

/** A role that credentials of another session assume, or a user's. */
export function assumeRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const caller = callerOf(call);
  parameters.assertOnly('sts:AssumeRole', ASSUME_ROLE_PARAMETERS);
  const constraints = new Constraints();
  const { roleArn, roleSessionName, durationSeconds } = commonParameters(parameters, constraints);
  const askedIdentity = parameters.get('SourceIdentity');
  constraints.text('sourceIdentity', askedIdentity, { min: 2, max: 64, pattern: NAME_PATTERN });
  const externalId = parameters.get('ExternalId');
  constraints.text('externalId', externalId, { min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' });
  const tags = readTags(parameters, constraints);
  constraints.assert();
  const { account: roleAccount } = readRoleArn(roleArn);
  const sessionPolicies = readSessionPolicies(parameters, store);
  const inheritedTags = inheritedTagsOf(caller.kind === 'role-session' ? caller : undefined);
  const transitiveTagKeys = readTransitiveTagKeys(parameters, tags, inheritedTags);

  const role = store.findRoleByArn(roleArn);
  const verdict = evaluateAssumeRole(
    {
      requester: requesterOf(caller),
      roleArn,
      roleSessionName,
      sourceIdentity: askedIdentity,
      inheritedSourceIdentity: caller.kind === 'role-session' ? caller.sourceIdentity : undefined,
      tags: { ...inheritedTags, ...tags },
      transitiveTagKeys: [...Object.keys(inheritedTags), ...transitiveTagKeys],
      context: {
        ...contextOf(call),
        ...resourceTags(role?.tags ?? {}),
        ...(externalId === undefined ? {} : { 'sts:ExternalId': externalId }),
      },
    },
    {
      ...policiesOf(caller, store),
      ...(role === undefined ? {} : { resource: { name: 'trust policy', document: role.trust } }),
    },
  );
  call.steps.push(...verdict.steps.map((step) => ({ ...step, resource: roleArn })));
  if (verdict.denied !== undefined) {
    throw assumeRoleDenied(caller, verdict.denied.action, roleArn, verdict.denied.verdict);
  }
  if (role === undefined) throw new TypeError(`${roleArn} was allowed and does not exist`);
  assertDuration(durationSeconds, role, caller.kind === 'role-session');

  const { sourceIdentity } = verdict;
  const session: RoleSession = {
    kind: 'role-session',
    role,
    sessionName: roleSessionName,
    issuedAt: call.time,
    sourceIdentity,
    sessionPolicies,
    tags: { ...inheritedTags, ...tags },
    transitiveTagKeys: [...Object.keys(inheritedTags), ...transitiveTagKeys],
    webIdentity: undefined,
  };
  call.record.requestParameters = {
    roleArn,
    roleSessionName,
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    ...(externalId === undefined ? {} : { externalId }),
    ...policyParameters(parameters),
    ...(Object.keys(tags).length === 0 ? {} : { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }),
    ...(transitiveTagKeys.length === 0 ? {} : { transitiveTagKeys }),
    ...(Object.keys(inheritedTags).length === 0 ? {} : { incomingTransitiveTags: inheritedTags }),
  };
  call.record.resourceAccount = roleAccount;
  return issued(call, store, session, durationSeconds, {});
}

/** A role that the holder of a web identity token assumes. The call is unsigned. */
export function assumeRoleWithWebIdentity(call: Call, parameters: QueryParameters, environment: Environment): Answer {
  const { store, issuer } = environment;
  parameters.assertOnly('sts:AssumeRoleWithWebIdentity', WEB_IDENTITY_PARAMETERS);
  const constraints = new Constraints();
  const { roleArn, roleSessionName, durationSeconds } = commonParameters(parameters, constraints);
  const token = constraints.text('webIdentityToken', parameters.get('WebIdentityToken'), {
    required: true,
    min: 4,
    max: 20_000,
    sensitive: true,
  });
  constraints.assert();
  const { partition, account: roleAccount } = readRoleArn(roleArn);
  call.record.resourceAccount = roleAccount;
  const sessionPolicies = readSessionPolicies(parameters, store);
  const webIdentity = issuer.verify(token, partition, roleAccount, call.time);
  call.record.webIdentity = webIdentity;

  const role = store.findRoleByArn(roleArn);
  const action = 'sts:AssumeRoleWithWebIdentity';
  const verdict = evaluate(
    {
      requester: { kind: 'federated', provider: webIdentity.provider },
      action,
      resource: roleArn,
      context: {
        ...contextOf(call),
        ...resourceTags(role?.tags ?? {}),
        [`${webIdentity.issuer}:sub`]: webIdentity.subject,
        [`${webIdentity.issuer}:aud`]: webIdentity.audience,
        'aws:FederatedProvider': webIdentity.provider,
        'sts:RoleSessionName': roleSessionName,
      },
    },
    { identity: [], ...(role === undefined ? {} : { resource: { name: 'trust policy', document: role.trust } }) },
  );
  call.steps.push({ action, resource: roleArn, verdict });
  if (role === undefined || verdict.decision !== 'allow') throw accessDenied(`Not authorized to perform ${action}`);
  assertDuration(durationSeconds, role, false);

  call.record.requestParameters = {
    roleArn,
    roleSessionName,
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...policyParameters(parameters),
  };
  return issued(
    call,
    store,
    webIdentitySession(role, roleSessionName, webIdentity, call.time, sessionPolicies),
    durationSeconds,
    {
      SubjectFromWebIdentityToken: webIdentity.subject,
      Provider: webIdentity.provider,
      Audience: webIdentity.audience,
    },
  );
}

/** Who calls. Nothing can forbid it. */
export function getCallerIdentity(call: Call, parameters: QueryParameters): Answer {
  parameters.assertOnly('sts:GetCallerIdentity', []);
  const caller = callerOf(call);
  return { Arn: arnOf(caller), UserId: idOf(caller), Account: accountOf(caller) };
}

/** Operations that make sessions of users, which role credentials may not call. */
export function refuseToRoleCredentials(call: Call): Answer {
  if (callerOf(call).kind === 'role-session') {
    throw accessDenied(`Cannot call ${call.operation} with session credentials`);
  }
  throw notModelled(`sts:${call.operation} for users`);
}

function webIdentitySession(
  role: Role,
  sessionName: string,
  webIdentity: WebIdentity,
  issuedAt: Date,
  sessionPolicies: readonly SessionPolicy[],
): RoleSession {
  return {
    kind: 'role-session',
    role,
    sessionName,
    issuedAt,
    sourceIdentity: undefined,
    sessionPolicies,
    tags: {},
    transitiveTagKeys: [],
    webIdentity,
  };
}

/** The answer that hands out credentials, and what its event tells: never the secret or the token. */
function issued(
  call: Call,
  store: Environment['store'],
  session: RoleSession,
  durationSeconds: number = DURATION_SECONDS.default,
  more: { readonly SubjectFromWebIdentityToken?: string; readonly Provider?: string; readonly Audience?: string },
): Answer {
  const expiresAt = new Date(Math.floor(call.time.getTime() / 1000) * 1000 + durationSeconds * 1000);
  const credential = store.issue(session, expiresAt);
  const { accessKeyId, secretAccessKey, sessionToken } = credential;
  call.record.issued = credential;
  const assumedRoleUser = { assumedRoleId: idOf(session), arn: arnOf(session) };
  const { sourceIdentity } = session;
  call.record.resources = [{ accountId: session.role.account, type: 'AWS::IAM::Role', ARN: session.role.arn }];
  call.record.responseElements = {
    credentials: { accessKeyId, expiration: cloudTrailTime(expiresAt) },
    assumedRoleUser,
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    ...(more.SubjectFromWebIdentityToken === undefined
      ? {}
      : {
          subjectFromWebIdentityToken: more.SubjectFromWebIdentityToken,
          provider: more.Provider,
          audience: more.Audience,
        }),
  };
  return {
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: `${expiresAt.toISOString().slice(0, 19)}Z`,
    },
    ...more,
    AssumedRoleUser: { AssumedRoleId: assumedRoleUser.assumedRoleId, Arn: assumedRoleUser.arn },
    SourceIdentity: sourceIdentity,
  };
}

function commonParameters(parameters: QueryParameters, constraints: Constraints) {
  const roleArn = constraints.text('roleArn', parameters.get('RoleArn'), { required: true, min: 20, max: 2048 });
  const roleSessionName = constraints.text('roleSessionName', parameters.get('RoleSessionName'), {
    required: true,
    min: 2,
    max: 64,
    pattern: NAME_PATTERN,
  });
  const durationSeconds = constraints.integer('durationSeconds', parameters.get('DurationSeconds'), DURATION_SECONDS);
  constraints.text('policy', parameters.get('Policy'), { min: 1, max: SESSION_POLICIES_LENGTH });
  constraints.listLength('policyArns', parameters.list('PolicyArns', 'arn').length, { max: SESSION_POLICY_ARNS });
  return { roleArn, roleSessionName, durationSeconds };
}

/** Not more than this: a role that cannot exist is answered as one that does not. */
function readRoleArn(roleArn: string): { readonly partition: Partition; readonly account: string } {
  const [, partition, account] = /^arn:(aws|aws-us-gov|aws-cn):iam::(\d{12}):role\/[\x21-\x7e]+$/.exec(roleArn) ?? [];
  if (partition === undefined || account === undefined) throw validationError('Request ARN is invalid');
  return { partition: partition as Partition, account };
}

/**
 * A chained session longer than an hour fails whatever the role's maximum is; none is ever cut.
 * @throws {AwsFault} ValidationError
 */
function assertDuration(durationSeconds: number | undefined, role: Role, isChained: boolean): void {
  if (durationSeconds === undefined) return;
  if (isChained && durationSeconds > DURATION_SECONDS.chained) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (durationSeconds > role.maxSessionDurationSeconds) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
}
