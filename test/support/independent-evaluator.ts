import { createValidatedPolicy } from '@cloud-copilot/iam-policy';
import { runUnsafeSimulation } from '@cloud-copilot/iam-simulate';
import {
  type AccessRequest,
  type PolicyDocument,
  type RequestContext,
  type Requester,
  requesterContext,
  type Verdict,
} from '../../lib/policy/index.ts';
import { sessionArn } from './session-arn.ts';

const DECISIONS = { Allowed: 'allow', ExplicitlyDenied: 'explicit-deny', ImplicitlyDenied: 'implicit-deny' } as const;

export interface IndependentPolicies {
  readonly identity: readonly PolicyDocument[];
  readonly boundary?: PolicyDocument | undefined;
  /** Service control policies, a list for each level. */
  readonly levels?: readonly (readonly PolicyDocument[])[] | undefined;
  readonly resource: PolicyDocument;
}

/** What an evaluator that shares no code with ours decides. */
export function independentDecision(
  { requester, action, resource, context }: AccessRequest,
  policies: IndependentPolicies,
): Verdict['decision'] {
  const result = runUnsafeSimulation(
    {
      request: {
        principal: simulatorPrincipal(requester),
        action,
        resource: { resource, accountId: resource.split(':')[4] ?? '' },
        contextVariables: copyOf({ ...context, ...requesterContext(requester) }),
      },
      identityPolicies: policies.identity.map((policy) => ({ name: 'identity', policy })),
      serviceControlPolicies: (policies.levels ?? []).map((level, index) => ({
        orgIdentifier: `level ${index}`,
        policies: level.map((policy) => ({ name: 'service control', policy })),
      })),
      resourceControlPolicies: [],
      resourcePolicy: createValidatedPolicy(policies.resource, () => [], { name: 'policy' }),
      ...(policies.boundary === undefined
        ? {}
        : { permissionBoundaryPolicies: [{ name: 'boundary', policy: policies.boundary }] }),
    },
    {},
  );
  return DECISIONS[result];
}

function simulatorPrincipal(requester: Requester): string {
  switch (requester.kind) {
    case 'role-session':
      return sessionArn(requester.roleArn, requester.sessionName);
    case 'user':
      return requester.userArn;
    case 'root':
      return `arn:${requester.partition}:iam::${requester.account}:root`;
    case 'federated':
      return requester.provider;
    case 'service':
      return requester.service;
  }
}

function copyOf(context: RequestContext): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(context).map(([key, value]) => [key, typeof value === 'string' ? value : [...value]]),
  );
}
