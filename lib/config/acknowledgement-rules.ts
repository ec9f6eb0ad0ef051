import { nearest } from '../nearest.ts';
import {
  type Acknowledgement,
  launderingGrants,
  oneOrMany,
  policyDocument,
  renderGuardPolicy,
} from '../policy/index.ts';
import { IDENTITY_LOSSES } from '../policy/laundering-actions.ts';
import { type FaultPath, fault, type RuleFault } from './faults.ts';
import { checkRepeats } from './list-rules.ts';

/** In characters. */
const REASON_LENGTH = { min: 10, max: 500 };
/** Control and format characters, and line breaks: a reason is shown on a line. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * The rules on acknowledgements of a lost identity: each is of an action that can be reported, in the spelling of a
 * policy, and says why. Whether a policy does grant it is judged where the policies are known.
 */
export function checkAcknowledgements(
  acknowledgements: readonly Acknowledgement[],
  chainTo: readonly string[],
): readonly RuleFault[] {
  const path = ['acknowledgeIdentityLoss'];
  return [
    ...acknowledgements.flatMap(({ action, reason }, index) => [
      ...checkAction([...path, index, 'action'], action, chainTo),
      ...checkReason([...path, index, 'reason'], reason),
    ]),
    ...checkRepeats(
      path,
      acknowledgements.map(({ action }) => action),
      'acknowledged action',
    ),
  ];
}

function checkAction(path: FaultPath, action: string, chainTo: readonly string[]): readonly RuleFault[] {
  if (canBeReported(action, chainTo)) return [];
  if (/^[^:]*[*?]/.test(action)) {
    const rule = 'acknowledged action must name one service, as <service>:<action>';
    return [fault(path, action, rule, 'acknowledge each action by itself')];
  }
  const rule = 'acknowledged action must be one by which the identity is lost and that a policy may grant';
  const listed = IDENTITY_LOSSES.flatMap(({ actions }) => actions);
  const meant = nearest(action, listed);
  const fix =
    meant !== undefined && canBeReported(meant, chainTo)
      ? `did you mean ${JSON.stringify(meant)}?`
      : 'remove it, docs/laundering.md has the list';
  return [fault(path, action, rule, fix)];
}

/** Whether the laundering check reports the action where a policy beside the guard grants it. */
function canBeReported(action: string, chainTo: readonly string[]): boolean {
  // Not "*": some actions of IAM are refused on that, and reported on what is named.
  const Resource = chainTo.length > 0 ? oneOrMany(chainTo) : 'something named exactly';
  const policies = [
    { name: 'guard', document: renderGuardPolicy(chainTo) },
    { name: 'grant', document: policyDocument([{ Effect: 'Allow', Action: action, Resource }]) },
  ];
  return launderingGrants(policies, { chainTo, requiresIdentity: () => false }).length > 0;
}

function checkReason(path: FaultPath, reason: string): readonly RuleFault[] {
  const { min, max } = REASON_LENGTH;
  const length = [...reason.trim()].length;
  if (length < min || length > max) {
    const rule = `reason of an acknowledgement must have ${min} to ${max} characters`;
    return [fault(path, reason, rule, 'say why the action is granted although the identity is lost')];
  }
  if (!UNPRINTABLE.test(reason)) return [];
  const rule = 'reason of an acknowledgement must be one line of printable characters';
  return [fault(path, reason, rule, 'write it in one line, or folded after ">-"')];
}
