/** Milliseconds after which a connection, an answer or its rest is given up: the SDK alone waits without end. */
export const TIMEOUTS = {
  connectionTimeout: 5000,
  requestTimeout: 10_000,
  socketTimeout: 10_000,
  throwOnRequestTimeout: true,
};
