// A dispatcher: starts an agent for each session id that it is given, each under a name of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentEnvironment, SessionBroker, startCredentialsEndpoint } from 'session-broker/runtime';

const AGENT = fileURLToPath(new URL('agent.mts', import.meta.url));

const broker = new SessionBroker(); // cluster, tenant and Region are the environment's
const endpoint = await startCredentialsEndpoint(); // one for all sessions
const folder = await mkdtemp(join(tmpdir(), 'dispatcher-')); // of this user alone

await Promise.all(process.argv.slice(2).map(runAgent));

await endpoint.close();
broker.close();
await rm(folder, { recursive: true });

async function runAgent(sessionId: string): Promise<void> {
  try {
    const session = broker.session({ session: sessionId });
    await session.credentials(); // before the agent asks: SDKs give the endpoint a second
    const { uri, token } = endpoint.serve(session);
    const tokenFile = join(folder, sessionId);
    await writeFile(tokenFile, token, { mode: 0o600 });

    const agent = spawn(process.execPath, [...process.execArgv, AGENT], {
      env: agentEnvironment(process.env, { uri, tokenFile, region: await broker.region() }),
      stdio: 'inherit',
    });
    const [exitCode] = await once(agent, 'close');
    if (exitCode !== 0) process.exitCode = 1;
    endpoint.withdraw(session.sourceIdentity);
    session.close();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error); // the other agents go on
    process.exitCode = 1;
  }
}
