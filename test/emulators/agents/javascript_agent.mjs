// An agent with the AWS SDK for JavaScript and its default credential chain: answers each line of standard input with
// one of standard output, by one client per service.

import { createInterface } from 'node:readline';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const [profile] = process.argv.slice(2);
const configuration = profile === undefined ? {} : { profile };
const sts = new STSClient(configuration);
const ssm = new SSMClient(configuration);

const answers = {
  caller: async () => (await sts.send(new GetCallerIdentityCommand({}))).Arn,
  parameter: async (Name) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value,
};

for await (const line of createInterface({ input: process.stdin })) {
  const [question, argument] = line.split(' ');
  console.log(await answers[question](argument).catch((error) => `${error.name}: ${error.message}`));
}
