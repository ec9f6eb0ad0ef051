import { quote } from '../errors.ts';
import {
  type LaunderingGrant,
  type LaunderingOptions,
  launderingGrants,
  type PolicyDocument,
  staleAcknowledgements,
  unacknowledged,
} from '../policy/index.ts';
import type { RequiresIdentity } from './chained-roles.ts';
import type { JudgedRole, PlacedRole } from './finished-app.ts';
import type { ConstructWarning } from './written-warnings.ts';

/** Covered actions that a warning names. */
const MOST_SHOWN = 5;

/**
 * What the policies of a session-broker role grant by which the identity of its sessions is lost and that nobody has
 * acknowledged, and what is acknowledged without being granted. The latter only where every policy is in the app: one
 * that is not may grant it.
 * @param placed a role without faults, so that each of its policies can be read
 */
export function launderingWarnings(
  role: JudgedRole,
  { reaching }: PlacedRole,
  requiresIdentity: RequiresIdentity,
): readonly ConstructWarning[] {
  const { construct, chainTo, acknowledgements } = role;
  const policies = reaching.policies.map(({ name, document }) => ({ name, document: document() as PolicyDocument }));
  const options: LaunderingOptions = { chainTo, requiresIdentity };
  const grants = launderingGrants(policies, options);
  const stale = reaching.unread.length > 0 ? [] : staleAcknowledgements(grants, acknowledgements, options);
  return [
    ...unacknowledged(grants, acknowledgements).map((grant) => ({
      construct,
      id: `session-broker:identityLoss/${grant.action}`,
      message: messageOf(grant),
    })),
    ...stale.map(({ action }) => ({
      construct,
      id: `session-broker:staleAcknowledgement/${action}`,
      message: `acknowledged action must be one that is granted: ${quote(action)} is not, or not in this spelling; remove it from acknowledgeIdentityLoss`,
    })),
  ];
}

function messageOf({ policy, sid, index, action, covers, reason }: LaunderingGrant): string {
  const isWrittenOut = covers.length === 1 && covers[0]?.toLowerCase() === action.toLowerCase();
  const more = covers.length > MOST_SHOWN ? ` and ${covers.length - MOST_SHOWN} more` : '';
  const covered = isWrittenOut ? '' : ` (${covers.slice(0, MOST_SHOWN).join(', ')}${more})`;
  const fix =
    action === 'NotAction'
      ? 'list what is needed under Action'
      : 'remove it, or add it to acknowledgeIdentityLoss with the reason why it is granted';
  return `${policy}, ${sid ?? `statement ${index + 1}`}: ${quote(action)}${covered} lets a session lose its name: ${reason}; ${fix}`;
}
