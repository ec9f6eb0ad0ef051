import { quote, SessionBrokerError } from '../errors.ts';
import { formatSourceIdentity } from '../identity/index.ts';
import { assumeRole, type SessionCredentials } from './assume.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Plan } from './plan.ts';
import { Renewal, type RenewalRequest } from './renew.ts';

/** A credential provider, as every SDK client takes it. */
export type SessionCredentialProvider = (request?: RenewalRequest) => Promise<SessionCredentials>;

/** The credentials of one session: the plan is the same at every renewal. */
export function renewalOf(
  { identity, source, durationSeconds, scope }: Plan,
  { timing, clients, roleOf, report }: Dispatcher,
  isTimed: boolean,
): Renewal<SessionCredentials> {
  const role = roleOf(source);
  return new Renewal({
    timing,
    isTimed,
    longestLife: durationSeconds * 1000,
    obtain: reporting(isTimed ? report : () => {}, formatSourceIdentity(identity), async (signal, isRenewal) => {
      const resolved = await role();
      try {
        return await assumeRole(
          await clients(),
          { role: resolved, identity, durationSeconds, scope },
          { isRenewal, now: timing.now, signal },
        );
      } catch (error) {
        // It may have been created anew under another path.
        if (error instanceof SessionBrokerError && error.code === 'AssumeRoleDenied') role.forget(resolved);
        throw error;
      }
    }),
  });
}

const UNEXPECTED = { code: 'unexpected', message: 'a fault of session-broker itself' };

type Obtain = (signal: AbortSignal, isRenewal: boolean) => Promise<SessionCredentials>;

/** Reports a renewal that fails when that begins, and when the reason changes: it is tried again and again. */
function reporting(report: (message: string) => void, sourceIdentity: string, obtain: Obtain): Obtain {
  let reported: string | undefined;
  return async (signal, isRenewal) => {
    try {
      const credentials = await obtain(signal, isRenewal);
      reported = undefined;
      return credentials;
    } catch (error) {
      const { code, message } = error instanceof SessionBrokerError ? error : UNEXPECTED;
      if (isRenewal && !signal.aborted && code !== reported) {
        reported = code;
        report(`credentials of ${quote(sourceIdentity)} could not be renewed: ${message} [${code}]`);
      }
      throw error;
    }
  };
}
