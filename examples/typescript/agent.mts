// An agent. It knows nothing of session-broker: clients of the AWS SDK find their credentials, and renew them.
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const { Arn } = await new STSClient().send(new GetCallerIdentityCommand());
console.log(Arn);
