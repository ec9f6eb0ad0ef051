import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

/** Milliseconds after which a connection, an answer or its rest is given up: the SDK alone waits without end. */
const TIMEOUTS = {
  connectionTimeout: 5000,
  requestTimeout: 10_000,
  socketTimeout: 10_000,
  throwOnRequestTimeout: true,
};

/** As the SDK's own agents are. */
const AGENT: AgentOptions = { keepAlive: true, maxSockets: 50 };

type Agents = { readonly [Name in 'httpAgent' | 'httpsAgent']?: HttpAgent | HttpsAgent | AgentOptions };

/**
 * Settings of the SDK's own request handler: those that are given, laid over ours.
 * @param given an agent among them is taken as it is
 */
export function handlerSettings(given: object = {}) {
  const { httpAgent, httpsAgent }: Agents = given;
  return {
    ...TIMEOUTS,
    ...given,
    httpAgent: httpAgent instanceof HttpAgent ? httpAgent : discreet(new HttpAgent({ ...AGENT, ...httpAgent })),
    httpsAgent: httpsAgent instanceof HttpAgent ? httpsAgent : discreet(new HttpsAgent({ ...AGENT, ...httpsAgent })),
  };
}

/** What Node's client asks of an agent. */
interface ByRequest {
  addRequest(request: unknown, options: { readonly headers?: unknown }): void;
}

/**
 * Where NODE_DEBUG names http, https, net or tls, Node writes to standard error with what an agent opens a connection,
 * the headers of its first request among them: the session token is one. An agent has no use for them.
 */
function discreet<Agent extends HttpAgent>(agent: Agent): Agent {
  const { addRequest } = agent as Agent & ByRequest;
  const withoutHeaders: ByRequest = {
    addRequest(request, { headers: _, ...options }) {
      addRequest.call(agent, request, options);
    },
  };
  return Object.assign(agent, withoutHeaders);
}
