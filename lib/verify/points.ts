import { describeDenial } from './attempt.ts';
import type { CallStep, EventStep } from './step.ts';

type AnyStep = CallStep | EventStep;

/** Something that AWS's documentation leaves open and a live account settles. */
export interface Point {
  /** As in docs/unconfirmed.md. */
  readonly id: string;
  readonly question: string;
  /** How to settle it, where it is not. */
  readonly how: string;
  /** What the steps say about it, or undefined where they say nothing. */
  readonly answer: (steps: readonly AnyStep[]) => string | undefined;
}

/** A point after a run. */
export interface Finding {
  readonly point: string;
  readonly question: string;
  readonly settled: boolean;
  /** The answer, or how to get one. */
  readonly says: string;
}

/** What becomes of every point by these steps. */
export function findingsOf(steps: readonly AnyStep[]): readonly Finding[] {
  return POINTS.map(({ id, question, how, answer }) => {
    const says = answer(steps);
    return { point: id, question, settled: says !== undefined, says: says ?? how };
  });
}

const CHAIN = "list a role of the tenant's chainTo: --chain-to ARN, or --config FILE";

/** What no step can tell. */
const NEVER = (): undefined => undefined;

export const POINTS: readonly Point[] = [
  {
    id: 'caller-policy',
    question:
      "Whether the caller's own policy must allow `sts:SetSourceIdentity` when both roles are in one account and the trust policy names the caller's ARN.",
    how: "run verify with --without-caller-policy before the caller's policy is attached, or while it is detached",
    answer: (steps) => {
      const hop = passed(steps, 'hop-without-caller-policy');
      if (hop?.denial !== undefined) return `yes, if the hop works with it: ${describeDenial(hop.denial)}`;
      return hop && "no, if no other policy of the caller's role allows it: the hop worked";
    },
  },
  {
    id: 'same-name-again',
    question: 'Whether a chained call may pass the same source identity again.',
    how: CHAIN,
    answer: (steps) => {
      const again = passed(steps, 'chain-same-name-again');
      if (again?.denial !== undefined) return `no: ${describeDenial(again.denial)}`;
      return again && 'yes';
    },
  },
  {
    id: 'changed-name-denial',
    question: 'Code and text of the denial when a chained call passes a different source identity.',
    how: CHAIN,
    answer: (steps) => {
      const denial = passed(steps, 'chain-refuses-other-name')?.denial;
      return denial && describeDenial(denial);
    },
  },
  {
    id: 'condition-denial-action',
    question: "Which action the denial names when the trust policy's condition on `sts:SourceIdentity` fails.",
    how: 'have the hop succeed and the two refusals of verify be refused',
    answer: (steps) => {
      const without = passed(steps, 'refuse-no-identity')?.denial;
      const foreign = passed(steps, 'refuse-other-tenant')?.denial;
      if (without === undefined || foreign === undefined) return undefined;
      return `${without.action ?? 'none'} without a source identity, ${foreign.action ?? 'none'} under another tenant's`;
    },
  },
  {
    id: 'session-name-variable',
    question:
      'Whether `${sts:SourceIdentity}` works as a policy variable in a trust policy: `roleSessionName: bound` rests on it.',
    how: "bind the tenant's role session names (roleSessionName: bound), deploy, and run verify with --bound or --config FILE",
    answer: (steps) => passed(steps, 'refuse-other-session-name') && 'yes',
  },
  {
    id: 'chained-identity-key',
    question: 'Whether `sts:SourceIdentity` is present in a chained call that does not pass the value again.',
    how: 'have the trust policy of a chainTo role test sts:SourceIdentity, and see whether chain-keeps-name passes',
    answer: NEVER,
  },
  {
    id: 'denied-event',
    question: 'Whether CloudTrail shows the asked-for identity of a denied AssumeRole.',
    how: 'let verify read CloudTrail: --reader-profile NAME, or --resume RESULT.json where its credentials are',
    answer: (steps) => {
      const event = passed(steps, 'event-of-refused-other-tenant') as EventStep | undefined;
      if (event?.request === 'with sourceIdentity') return 'yes';
      return event && `no: its event has requestParameters ${event.request}`;
    },
  },
  {
    id: 'global-profiles',
    question:
      "That `global.` inference profiles are authorised on the source Region's ARN and on the ARN without a Region.",
    how: 'invoke a model through such a profile in a session of a tenant that lists it',
    answer: NEVER,
  },
  {
    id: 'service-events',
    question: "Whether a service that acts on a session's behalf logs the source identity in every event.",
    how: 'use such a service in a session, such as S3 with a KMS key, and look at the events of the second service',
    answer: NEVER,
  },
  {
    id: 'empty-policy-arns',
    question: 'How STS reads an empty or a repeated `PolicyArns`.',
    how: 'send one to STS by another client, and see what the session may do',
    answer: NEVER,
  },
];

function passed(steps: readonly AnyStep[], name: AnyStep['step']): AnyStep | undefined {
  return steps.find(({ step, outcome }) => step === name && outcome === 'passed');
}
