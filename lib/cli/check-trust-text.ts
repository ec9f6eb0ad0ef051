import { quote } from '../errors.ts';
import type {
  AssumeRoleAttempt,
  NamePattern,
  Requester,
  TrustJudgement,
  TrustWay,
  TrustWitness,
} from '../policy/index.ts';
import { stylist } from './style.ts';

type Style = ReturnType<typeof stylist>;

/**
 * A judgement for people: the verdict, then each way in with its reasons and what gets in by it.
 * @param subject whose trust policy it is, or where it comes from
 */
export function renderJudgement(judgement: TrustJudgement, subject: string, colour: boolean): string {
  const style = stylist(colour);
  const { required, pinned, ways, closed, witnesses } = judgement;
  const lines = [
    `trust policy of ${subject}`,
    `${mark(required && pinned, style)} ${style('bold', verdict(judgement))}`,
    ...ways.flatMap((way) => [
      '',
      ...wayLines(
        way,
        witnesses.filter((witness) => isOf(witness, way)),
        style,
      ),
    ]),
    ...closed.flatMap(({ principal, operation, reason }) => [
      '',
      `${operation} by ${principal}`,
      `  - cannot get in: ${reason}`,
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function verdict({ required, pinned, ways }: TrustJudgement): string {
  if (ways.length === 0) return 'nobody can assume this role: no request meets its trust policy';
  if (!required) return 'a source identity is not required';
  if (!pinned) return 'a source identity is required, but its value is not pinned';
  return `a source identity is required and pinned on ${ways.length === 1 ? 'the only way in' : 'every way in'}`;
}

function wayLines(way: TrustWay, witnesses: readonly TrustWitness[], style: Style): readonly string[] {
  const { principal, operation, required, pinned, reason } = way;
  return [
    style('bold', `${operation} by ${principal}`),
    `  ${mark(required, style)} ${required ? 'required' : 'not required'}${required && !pinned ? '' : `: ${reason}`}`,
    `  ${mark(pinned, style)} ${pinned ? pinnedTo(way) : `not pinned${required ? `: ${reason}` : ''}`}`,
    ...witnesses.map((witness) => style('dim', `  gets in: ${witnessText(witness)}`)),
  ];
}

function isOf({ principal, attempt }: TrustWitness, way: TrustWay): boolean {
  return principal === way.principal && attempt.operation === way.operation;
}

function pinnedTo({ patterns, exceptions }: TrustWay): string {
  if (patterns.length === 0) return 'none can be set';
  const but = exceptions.length === 0 ? '' : `, but not ${listed(exceptions, ' nor ')}`;
  return `pinned to ${listed(patterns, ' or ')}${but}`;
}

function listed(patterns: readonly NamePattern[], or: string): string {
  return patterns
    .map(({ operator, value }) => quote(value) + (operator === 'StringEqualsIgnoreCase' ? ' in any case' : ''))
    .join(or);
}

/** The request: who makes it, under which name, and what else it needs. */
function witnessText({ attempt }: TrustWitness): string {
  const needs = [
    ...(attempt.roleSessionName === DEFAULT_SESSION_NAME
      ? []
      : [`role session name ${quote(attempt.roleSessionName)}`]),
    ...Object.entries(attempt.tags ?? {}).map(([key, value]) => `session tag ${quote(key)} = ${quote(value)}`),
    ...(attempt.transitiveTagKeys ?? []).map((key) => `transitive session tag ${quote(key)}`),
    ...Object.entries(attempt.context ?? {}).map(([key, value]) => `${key} = ${[value].flat().map(quote).join(', ')}`),
  ];
  return [requesterText(attempt.requester), nameText(attempt), ...needs].join(', ');
}

/** What a request is called by the judge where any role session name will do. */
const DEFAULT_SESSION_NAME = 'session';

function requesterText(requester: Requester): string {
  switch (requester.kind) {
    case 'role-session': {
      const { roleArn, roleId, sessionName } = requester;
      const id = roleId === undefined ? '' : ` with the id ${roleId}`;
      return `role ${roleArn}${id}${sessionName === DEFAULT_SESSION_NAME ? '' : `, in a session named ${quote(sessionName)}`}`;
    }
    case 'user':
      return `user ${requester.userArn}`;
    case 'root':
      return `the root user of ${requester.account}`;
    case 'federated':
      return `anybody whom ${requester.provider} vouches for`;
    case 'service':
      return `the service ${requester.service}`;
  }
}

function nameText({ operation, sourceIdentity, inheritedSourceIdentity }: AssumeRoleAttempt): string {
  if (inheritedSourceIdentity !== undefined) return `whose session is ${quote(inheritedSourceIdentity)} already`;
  if (sourceIdentity === undefined) return 'without a source identity';
  const claimed = operation === 'AssumeRoleWithWebIdentity' ? ' by its token' : ' by its assertion';
  return `as ${quote(sourceIdentity)}${operation === 'AssumeRole' ? '' : claimed}`;
}

function mark(isGood: boolean, style: Style): string {
  return isGood ? style('green', '✓') : style('red', '✗');
}
