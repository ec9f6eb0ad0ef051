import { quote, SessionBrokerError } from '../errors.ts';
import { formatSourceIdentity, type RoleArn, type SessionIdentity } from '../identity/index.ts';
import { assumeRole, type SessionCredentials } from '../runtime/assume.ts';
import type { Clients } from '../runtime/clients.ts';
import { createDispatcher } from '../runtime/dispatcher.ts';
import { readEnvironment } from '../runtime/environment.ts';
import type { SessionBrokerOptions, SessionOptions } from '../runtime/options.ts';
import { createPlan } from '../runtime/plan.ts';
import { type Account, openAccount } from '../sdk/account.ts';
import { redact } from '../sdk/redact.ts';
import { attemptAssumeRole, describeDenial } from './attempt.ts';
import type { CallStep } from './step.ts';

/** What leads to the role that is verified, and the session id to do it under. */
export type HopRequest = Pick<
  SessionOptions,
  'tenant' | 'cluster' | 'workflow' | 'roleArn' | 'parameterPrefix' | 'session'
> &
  Pick<SessionBrokerOptions, 'region'>;

export interface HopSetting {
  readonly time?: Pick<SessionBrokerOptions, 'now' | 'random' | 'schedule'> | undefined;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/** A dispatcher at the role that it is about to assume. */
export interface Hop extends Disposable {
  readonly role: RoleArn;
  readonly region: string;
  readonly identity: SessionIdentity;
  readonly sourceIdentity: string;
  /** Seconds. */
  readonly durationSeconds: number;
  /** STS as the dispatcher itself asks it. */
  readonly dispatcher: Account;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Assumes the role as the runtime does. */
  readonly assume: () => Promise<HopSession>;
}

/** What the hop gave. */
export interface HopSession {
  readonly credentials: SessionCredentials;
  /** The id that AWS gave to the call. */
  readonly requestId: string | undefined;
}

/**
 * Finds the role as the runtime does, with the dispatcher's own credentials. No session is made yet.
 * @throws {SessionBrokerError} what the runtime's lookup of a role ends in
 */
export async function openHop(request: HopRequest, { time = {}, warn, signal }: HopSetting): Promise<Hop> {
  const { region: given, ...session } = request;
  const runtime = createDispatcher({ region: given, logger: { warn }, ...time });
  const end = (): void => runtime.close(new Error('interrupted'));
  signal.addEventListener('abort', end, { once: true });
  try {
    const { identity, source, durationSeconds, scope } = createPlan(session, readEnvironment());
    const clients: Clients = await runtime.clients();
    const role = await runtime.roleOf(source)();
    const { region, credentials } = clients;
    const { now } = runtime.timing;
    const dispatcher = openAccount({ region, credentials, signal });
    return {
      role,
      region,
      identity,
      sourceIdentity: formatSourceIdentity(identity),
      durationSeconds,
      dispatcher,
      now,
      signal,
      async assume() {
        let requestId: string | undefined;
        const overheard: Clients = {
          ...clients,
          assumeRole: (input, read, ...rest) =>
            clients.assumeRole(
              input,
              (answer) => {
                ({ requestId } = answer.$metadata);
                return read(answer);
              },
              ...rest,
            ),
        };
        const request = { role, identity, durationSeconds, scope };
        const credentials = await assumeRole(overheard, request, { isRenewal: false, now, signal });
        return { credentials, requestId };
      },
      [Symbol.dispose]: () => {
        signal.removeEventListener('abort', end);
        dispatcher.close();
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** The codes by which a hop fails; with others it was not made. */
const REFUSED = ['AssumeRoleDenied', 'SetSourceIdentityDenied', 'SourceIdentityMismatch', 'RequestRejected'];

/** The session, unless it was refused. */
export interface Assumed {
  readonly step: CallStep;
  readonly session?: HopSession | undefined;
}

/**
 * The hop that every dispatcher makes.
 * @throws {SessionBrokerError} what keeps it from being made
 */
export async function assumeRoleStep({ assume, role, sourceIdentity }: Hop): Promise<Assumed> {
  try {
    const session = await assume();
    const { accessKeyId, expiration } = session.credentials;
    const evidence = `STS gave credentials of ${role.arn} as ${sourceIdentity}, access key ${redact(accessKeyId)}, until ${expiration.toISOString()}`;
    return { step: { step: 'hop', outcome: 'passed', evidence }, session };
  } catch (error) {
    if (!(error instanceof SessionBrokerError) || !REFUSED.includes(error.code)) throw error;
    return { step: { step: 'hop', outcome: 'failed', evidence: `${error.message} [${error.code}]` } };
  }
}

/**
 * The same hop before the caller's policy is attached, to see whether it is needed.
 * @throws {SessionBrokerError} what keeps it from being made
 */
export async function withoutCallerPolicyStep({ dispatcher, role, sourceIdentity }: Hop): Promise<CallStep> {
  const step = 'hop-without-caller-policy';
  const { denial, ...session } = await attemptAssumeRole(dispatcher, {
    RoleArn: role.arn,
    RoleSessionName: sourceIdentity,
    SourceIdentity: sourceIdentity,
  });
  if (denial !== undefined) {
    return denial.action === 'sts:SetSourceIdentity' && !/explicit deny/.test(denial.message)
      ? { step, outcome: 'passed', evidence: `STS refused it with ${describeDenial(denial)}`, denial }
      : {
          step,
          outcome: 'failed',
          evidence: `STS refused it with ${describeDenial(denial)}; that says nothing of a missing sts:SetSourceIdentity: attach the caller's policy and run verify, and try this again when that passes`,
          denial,
        };
  }
  return session.sourceIdentity === sourceIdentity
    ? { step, outcome: 'passed', evidence: `STS gave a session of ${role.arn} as ${sourceIdentity}` }
    : {
        step,
        outcome: 'failed',
        evidence: `STS gave a session that must be ${sourceIdentity}, and is ${session.sourceIdentity === undefined ? 'nobody' : quote(session.sourceIdentity)}; check the endpoint`,
      };
}
