/**
 * STS without policies and signatures, as little as possible between two measurements. It gives credentials by a
 * clock that may run faster than the machine's, and counts.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { givenArguments, say } from './processes.ts';
import { type ClockSettings, scaledClock } from './scaled-clock.ts';

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
const SECRETS = `<SecretAccessKey>${'s'.repeat(40)}</SecretAccessKey><SessionToken>${'t'.repeat(800)}</SessionToken>`;

const now = scaledClock(givenArguments<ClockSettings>());
let calls: Record<string, number> = {};

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text) => {
    body += text;
  });
  request.on('end', () => {
    if (request.method === 'GET') {
      response.end(JSON.stringify(calls));
      calls = {};
      return;
    }
    response.writeHead(200, { 'content-type': 'text/xml' }).end(answer(new URLSearchParams(body)));
  });
});
server.listen(0, '127.0.0.1', () => say({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));

function answer(parameters: URLSearchParams): string {
  const action = parameters.get('Action') ?? '';
  calls[action] = (calls[action] ?? 0) + 1;
  const name = parameters.get('SourceIdentity');
  const identity = name === null ? '' : `<SourceIdentity>${name}</SourceIdentity>`;
  const expiration = new Date(now() + Number(parameters.get('DurationSeconds') ?? 3600) * 1000).toISOString();
  const role = parameters.get('RoleArn')?.split('/').at(-1);
  const user = `<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:${name}</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/${role}/${name}</Arn></AssumedRoleUser>`;
  const credentials = `<Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>${SECRETS}<Expiration>${expiration}</Expiration></Credentials>`;
  return `<${action}Response xmlns="${NAMESPACE}"><${action}Result>${identity}${user}${credentials}</${action}Result><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></${action}Response>`;
}
