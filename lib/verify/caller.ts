import { formatSessionArn } from '../identity/arn.ts';
import type { Account } from '../sdk/account.ts';
import { redact } from '../sdk/redact.ts';
import type { Hop } from './hop.ts';
import type { CallStep } from './step.ts';

/** Who STS says that a caller is, and where it was asked. */
export interface Caller {
  readonly arn: string;
  /** Twelve digits. */
  readonly account: string;
  /** Origin of the endpoint. */
  readonly endpoint: string;
  readonly requestId: string | undefined;
}

/** Where a request goes. */
interface Destination {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
}

/** Asks STS who asks. Nobody needs a permission for it. */
export async function readCaller(account: Account): Promise<Caller> {
  let endpoint = '';
  const {
    Arn = '',
    Account: id = '',
    $metadata,
  } = await account.sts(
    { action: 'sts:GetCallerIdentity', resource: '*' },
    (sts, { GetCallerIdentityCommand }, options) => {
      const command = new GetCallerIdentityCommand({});
      command.middlewareStack.add(
        (next) => (args) => {
          const { protocol, hostname, port } = args.request as Destination;
          endpoint = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
          return next(args);
        },
        { step: 'build' },
      );
      return sts.send(command, options);
    },
  );
  return { arn: Arn, account: id, endpoint, requestId: $metadata.requestId };
}

/** That the session's credentials are of the role, under its name. */
export function callerIdentityStep(
  { role, sourceIdentity }: Pick<Hop, 'role' | 'sourceIdentity'>,
  { arn }: Pick<Caller, 'arn'>,
): CallStep {
  const expected = formatSessionArn(role, sourceIdentity);
  return arn === expected
    ? { step: 'caller-identity', outcome: 'passed', evidence: `GetCallerIdentity says ${arn}` }
    : {
        step: 'caller-identity',
        outcome: 'failed',
        evidence: `GetCallerIdentity must say ${expected}, it says ${redact(arn) || 'nothing'}`,
      };
}
