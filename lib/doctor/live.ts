import { SessionBrokerError } from '../errors.ts';
import { partitionOf } from '../identity/index.ts';
import { type Account, openAccount } from '../sdk/account.ts';
import { createLimit } from './calls.ts';
import type { Reader } from './facts.ts';
import { HOME_REGIONS } from './home-regions.ts';
import { type IdentityIn, LiveReader, meansRegion } from './live-reader.ts';

export interface LiveOptions {
  /** The clusters' Regions, at least one. */
  readonly regions: readonly string[];
  /** @default the SDK's default chain of credentials */
  readonly profile?: string | undefined;
  readonly signal: AbortSignal;
}

/** The account that somebody's credentials are of. */
export interface LiveAccount extends Disposable {
  /** Twelve digits. */
  readonly account: string;
  /** The ARN of who asks. */
  readonly callerArn: string;
  readonly reader: Reader;
}

/** Calls at a time: enough to hide the way to AWS, and few enough for IAM not to throttle. */
const PARALLEL = 8;

/**
 * Finds out whose credentials there are. Nothing but reading calls is made, then and later.
 * @throws {SessionBrokerError} the codes of `Account` where no Region answers
 */
export async function openLive({ regions, profile, signal }: LiveOptions): Promise<LiveAccount> {
  const accounts = new Map<string, Account>();
  const accountIn = (region: string): Account => {
    const opened = accounts.get(region) ?? openAccount({ region, profile, signal });
    accounts.set(region, opened);
    return opened;
  };
  const asked = new Map<string, ReturnType<IdentityIn>>();
  const identityIn: IdentityIn = (region) => {
    const answer = asked.get(region) ?? whoAsks(accountIn(region), region);
    asked.set(region, answer);
    return answer;
  };
  const close = (): void => {
    for (const account of accounts.values()) account.close();
  };
  try {
    const [first = ''] = regions;
    const caller = await firstIdentity([...regions, HOME_REGIONS[partitionOf(first)]], identityIn);
    const reader = new LiveReader({ caller, accountIn, identityIn, limit: createLimit(PARALLEL) });
    return { account: caller.account, callerArn: caller.arn, reader, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

async function whoAsks(account: Account, region: string): ReturnType<IdentityIn> {
  try {
    const { Account: id = '', Arn: arn = '' } = await account.sts(
      { action: 'sts:GetCallerIdentity', resource: region },
      (client, { GetCallerIdentityCommand }, options) => client.send(new GetCallerIdentityCommand({}), options),
    );
    return { account: id, arn, region };
  } catch (error) {
    if (error instanceof SessionBrokerError) return error;
    throw error;
  }
}

/** One Region after the other: the first answers nearly always. */
async function firstIdentity(regions: readonly string[], identityIn: IdentityIn) {
  let refusal: SessionBrokerError | undefined;
  for (const region of regions) {
    const answer = await identityIn(region);
    if (!(answer instanceof SessionBrokerError)) return answer;
    refusal ??= answer;
    if (!meansRegion(answer)) break;
  }
  throw refusal ?? new TypeError('regions must not be empty');
}
