import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { SessionBrokerError } from '../../lib/errors.ts';
import { openAccount } from '../../lib/sdk/account.ts';
import { DISPATCHER, REGION, ROLE_ARN } from '../runtime/support/fake-aws.ts';
import { OF_STS, ON_THE_WAY } from '../runtime/support/faults.ts';
import { filesBelow, watchProcess } from '../support/watched-process.ts';
import { expectNoLeak, machineAndAws } from './fixture.ts';

const { aws, machine, begin } = machineAndAws();

const ACTIONS = ['GetCallerIdentity', 'GetRole', 'GetParameter', 'LookupEvents', ''] as const;

/** Those that need no patience. */
const QUICK = [...ON_THE_WAY, ...OF_STS].filter(({ name }) => !/stall|without end/.test(name));

describe.each(QUICK)('in an account that is asked by whoever has credentials, with $name,', (situation) => {
  test('nothing that is said or thrown holds a secret', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', aws().endpoint);
    const said = watchProcess();
    const account = openAccount({
      region: REGION,
      credentials: { ...DISPATCHER },
      attempts: 1,
      signal: new AbortController().signal,
    });
    onTestFinished(account.close);
    await begin(situation, ACTIONS);
    const about = (action: string) => ({ action, resource: ROLE_ARN });
    const outcomes = await Promise.allSettled([
      account.sts(about('sts:GetCallerIdentity'), (sts, { GetCallerIdentityCommand }, options) =>
        sts.send(new GetCallerIdentityCommand(), options),
      ),
      account.iam(about('iam:GetRole'), (iam, { GetRoleCommand }, options) =>
        iam.send(new GetRoleCommand({ RoleName: 'hub-acme-session' }), options),
      ),
      account.ssm(about('ssm:GetParameter'), (ssm, { GetParameterCommand }, options) =>
        ssm.send(new GetParameterCommand({ Name: '/a' }), options),
      ),
      account.cloudTrail(about('cloudtrail:LookupEvents'), (cloudTrail, { LookupEventsCommand }, options) =>
        cloudTrail.send(new LookupEventsCommand(), options),
      ),
      account.eks(about('eks:DescribeCluster'), (eks, { DescribeClusterCommand }, options) =>
        eks.send(new DescribeClusterCommand({ name: 'hub' }), options),
      ),
    ]);
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    // A page of HTML is an empty answer to some.
    expect(errors.length).toBeGreaterThan(2);
    for (const error of errors) expect(error).toBeInstanceOf(SessionBrokerError);
    expectNoLeak([errors, said(), ...filesBelow(machine()).values()]);
  });
});
