import { quote, SessionBrokerError } from '../errors.ts';
import { formatSourceIdentity, type SessionIdentity } from '../identity/index.ts';
import type { SessionCredentials } from './assume.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { readEnvironment } from './environment.ts';
import {
  checkBrokerOptions,
  checkRoleOptions,
  checkSessionOptions,
  type RoleOptions,
  type SessionBrokerOptions,
  type SessionOptions,
} from './options.ts';
import { createPlan, createRoleSource, type Plan, planKey } from './plan.ts';
import type { Renewal } from './renew.ts';
import { renewalOf, type SessionCredentialProvider } from './session.ts';
import { telemetry } from './telemetry.ts';
import { keepingAlive } from './timing.ts';

/** One agent session of a {@link SessionBroker}. */
export interface Session {
  /** `agent.<tenant>[.<workflow>].<session>` */
  readonly sourceIdentity: string;
  /**
   * The session's credentials, for any number of clients. They are renewed in the background from the first call
   * until {@link Session.close}.
   */
  readonly credentials: SessionCredentialProvider;
  /** What a call would return at once, with more than 15 minutes left; undefined if a call would have to wait. */
  current(): SessionCredentials | undefined;
  /** Ends the session here: nothing is handed out any more, and calls fail with SessionClosed. */
  close(): void;
}

/**
 * The sessions of one dispatcher. They share the SDK's clients, the roles that were looked up, and a limit of calls
 * a second; their credentials are renewed in the background, whoever asks or not. Timers hold no process open.
 *
 *     const broker = new SessionBroker({ cluster: 'hub' });
 *     const session = broker.session({ tenant: 'acme', session: '01ARZ3NDEKTSV4RRFFQ69G5FAV' });
 *     new S3Client({ region, credentials: session.credentials });
 */
export class SessionBroker implements Disposable {
  readonly #given: SessionBrokerOptions;
  readonly #dispatcher: Dispatcher;
  readonly #sessions = new Map<string, BrokerSession>();
  readonly #unwatch: () => void;
  #isClosed = false;

  /**
   * @param options checked at once; no call is made
   * @throws {TypeError} for an option that is unknown or of another type
   * @throws {SessionBrokerError} a code of the tenant or the cluster, ParameterPrefixInvalid, RegionInvalid,
   * EndpointInvalid or EndpointInsecure
   */
  constructor(options: SessionBrokerOptions = {}) {
    checkBrokerOptions(options);
    this.#given = { ...options };
    this.#dispatcher = createDispatcher(this.#given);
    this.#unwatch = telemetry.watch(this.#sessions, this.#dispatcher.timing.now);
  }

  /**
   * A session, by everything that decides what it may do: the same options give the same session until it is closed.
   * Options of the session come before those of the broker, and these before variables, which are read now.
   * @throws {TypeError} for an option that is unknown or of another type
   * @throws {SessionBrokerError} SessionClosed after {@link SessionBroker.close}; a code of the identity,
   * RoleUnresolved, RoleArnInvalid, ParameterPrefixInvalid, DurationOutOfRange, SessionPolicyInvalid,
   * SessionPolicyTooLarge or PolicyArnInvalid
   */
  session(options: SessionOptions): Session {
    this.#assertOpen();
    checkSessionOptions(options);
    const plan = createPlan(this.#placed(options), readEnvironment());
    const key = planKey(plan);
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const session = new BrokerSession(plan, renewalOf(plan, this.#dispatcher, true), () => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    });
    this.#sessions.set(key, session);
    return session;
  }

  /**
   * The ARN of the session-broker role that such sessions run in. It is looked up once for each tenant and workflow.
   * @throws {SessionBrokerError} SessionClosed, or any code of the lookup
   */
  async roleArn(options: RoleOptions = {}): Promise<string> {
    this.#assertOpen();
    checkRoleOptions(options);
    const { arn } = await keepingAlive(
      this.#dispatcher.roleOf(createRoleSource(this.#placed(options), readEnvironment()))(),
    );
    return arn;
  }

  /**
   * The Region of all calls, as the SDK resolved it.
   * @throws {SessionBrokerError} SessionClosed, RegionUnresolved, RegionInvalid, EndpointInvalid or EndpointInsecure
   */
  async region(): Promise<string> {
    this.#assertOpen();
    const { region } = await keepingAlive(this.#dispatcher.clients());
    return region;
  }

  /** Ends every session, and what is under way. Later calls fail with SessionClosed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch();
    for (const session of [...this.#sessions.values()]) session.close();
    this.#dispatcher.close(brokerClosed());
  }

  /** {@link SessionBroker.close} */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Where the session does not say otherwise, it is where the broker is. */
  #placed<Options extends RoleOptions>(options: Options): Options {
    const { tenant, cluster, parameterPrefix } = this.#given;
    return {
      ...options,
      tenant: options.tenant ?? tenant,
      cluster: options.cluster ?? cluster,
      parameterPrefix: options.parameterPrefix ?? parameterPrefix,
    };
  }

  #assertOpen(): void {
    if (this.#isClosed) throw brokerClosed();
  }
}

class BrokerSession implements Session {
  readonly sourceIdentity: string;
  readonly identity: SessionIdentity;
  readonly credentials: SessionCredentialProvider;
  readonly #renewal: Renewal<SessionCredentials>;
  readonly #forget: () => void;

  constructor({ identity }: Plan, renewal: Renewal<SessionCredentials>, forget: () => void) {
    this.sourceIdentity = formatSourceIdentity(identity);
    this.identity = identity;
    this.credentials = (request) => renewal.provide(request);
    this.#renewal = renewal;
    this.#forget = forget;
  }

  /** For telemetry. */
  get expires(): number | undefined {
    return this.#renewal.expires;
  }

  current(): SessionCredentials | undefined {
    return this.#renewal.current();
  }

  close(): void {
    this.#forget();
    this.#renewal.close(
      new SessionBrokerError(
        'SessionClosed',
        `session ${quote(this.sourceIdentity)} is closed; a new one is made by session()`,
        { detail: { sourceIdentity: this.sourceIdentity } },
      ),
    );
  }
}

function brokerClosed(): SessionBrokerError {
  return new SessionBrokerError('SessionClosed', 'session broker is closed; make a new one');
}
