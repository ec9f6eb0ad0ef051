import { parseRoleArn } from '../../identity/index.ts';
import type { Draft } from '../amendments.ts';
import type { ExpectedParameter } from '../expected.ts';
import { need } from '../facts.ts';
import { findingOf, type TenantCase } from '../tenant-case.ts';

/** Whether the parameters by which dispatchers find the role say what they should. */
export function* checkParameters(tested: TenantCase): Iterable<Draft> {
  for (const [index, parameter] of tested.expected.parameters.entries()) {
    const fact = tested.facts.parameters[index];
    if (fact !== undefined) yield* parameterFindings(tested, parameter, need(fact));
  }
}

function* parameterFindings(
  tested: TenantCase,
  { name, value: wanted }: ExpectedParameter,
  value: string | undefined,
): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster } = expected;
  const put = (...words: string[]): string =>
    settings.commands.aws(
      cluster,
      'ssm',
      'put-parameter',
      '--name',
      name,
      '--type',
      'String',
      '--value',
      wanted,
      ...words,
    );
  if (value === undefined) {
    const evidence = `the parameter ${name} is not in ${cluster.region}`;
    yield findingOf(tested, 'ParameterMissing', 'error', evidence, {
      summary: 'make it again: a deploy would see no change',
      commands: [put('--tier', 'Standard')],
    });
    return;
  }
  if (value === wanted) return;
  const place = otherPlace(value, wanted);
  const evidence = `the parameter ${name} is ${JSON.stringify(value)}, and should be ${JSON.stringify(wanted)}`;
  yield findingOf(
    tested,
    place === undefined ? 'ParameterStale' : 'ParameterOfOtherAccount',
    'error',
    place === undefined ? evidence : `${evidence}: it leads to ${place}`,
    { summary: 'set it again: a deploy would see no change', commands: [put('--overwrite')] },
  );
}

/** The account or partition of a role that is not where the wanted one is. */
function otherPlace(value: string, wanted: string): string | undefined {
  if (!value.startsWith('arn:') || !wanted.startsWith('arn:')) return undefined;
  try {
    const { account, partition } = parseRoleArn(value);
    const expected = parseRoleArn(wanted);
    if (partition !== expected.partition) return `the partition ${partition}`;
    return account === expected.account ? undefined : `account ${account}`;
  } catch {
    return undefined;
  }
}
