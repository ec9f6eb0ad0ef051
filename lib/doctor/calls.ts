import { SessionBrokerError } from '../errors.ts';
import type { Account, Ask, Question } from '../sdk/account.ts';
import { type Known, known, type Unknown } from './facts.ts';

/** Makes a call that reads. A thing that does not exist is undefined. */
export type Read<Sdk, Client> = <Answer>(
  /** `GetRole` */
  operation: string,
  resource: string,
  send: (client: Client, sdk: Sdk, options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
) => Promise<Known<Answer | undefined>>;

/** The calls of the services that are read, in one Region. */
export interface Calls {
  readonly iam: Read<SdkOf<Account['iam']>, ClientOf<Account['iam']>>;
  readonly ssm: Read<SdkOf<Account['ssm']>, ClientOf<Account['ssm']>>;
  readonly eks: Read<SdkOf<Account['eks']>, ClientOf<Account['eks']>>;
}

type SdkOf<Asking> = Asking extends Ask<infer Sdk, infer _> ? Sdk : never;
type ClientOf<Asking> = Asking extends Ask<infer _, infer Client> ? Client : never;

/** Failures after which nothing more can be read, so that they end the command. */
const FATAL: readonly string[] = [
  'ClockSkew',
  'CredentialsMissing',
  'CredentialsRejected',
  'EndpointInsecure',
  'EndpointInvalid',
  'RegionUnresolved',
];

/** Calls of an account, each within a limit that all of them share. */
export function callsOf(account: Account, limit: Limit): Calls {
  const reading =
    <Sdk, Client>(service: string, ask: Ask<Sdk, Client>): Read<Sdk, Client> =>
    async (operation, resource, send) => {
      const question = { action: `${service}:${operation}`, resource };
      try {
        return known(await limit(() => ask(question, send)));
      } catch (error) {
        if (!(error instanceof SessionBrokerError) || FATAL.includes(error.code)) throw error;
        return error.code === 'EntityNotFound' ? known(undefined) : { unknown: failureOf(error, question) };
      }
    };
  return {
    iam: reading('iam', account.iam),
    ssm: reading('ssm', account.ssm),
    eks: reading('eks', account.eks),
  };
}

/** Why a fact is not known that a call failed to read. */
export function failureOf({ code, message }: SessionBrokerError, { action, resource }: Question): Unknown {
  return code === 'AccessDenied'
    ? { missing: `${action} on ${resource} was denied`, failure: { denial: { action, resource } } }
    : { missing: `${action} on ${resource} failed with ${code}: ${message}`, failure: {} };
}

/** Runs something once there is room for it. */
export type Limit = <Result>(run: () => Promise<Result>) => Promise<Result>;

/** A limit to how many run at a time. */
export function createLimit(most: number): Limit {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next(); // its turn is this one's
    }
  };
}
