import { Readable } from 'node:stream';

/** What of an answer is looked at here. */
interface Answered {
  readonly response: unknown;
}

type Next<Args, Result> = (args: Args) => Promise<Result>;

/**
 * SDK middleware that ends a call whose answer is longer than any that a service gives. The SDK alone reads whatever
 * comes into memory, and a proxy, or whoever answers in AWS's place, may never stop.
 * @param bytes the longest answer that is read
 */
export function limitAnswer(bytes: number) {
  return <Args, Result extends Answered>(next: Next<Args, Result>): Next<Args, Result> =>
    async (args) => {
      const result = await next(args);
      const { response } = result as { response: { body?: unknown } | undefined };
      if (isStream(response?.body)) Object.assign(response, { body: Readable.from(firstBytes(response.body, bytes)) });
      return result;
    };
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

async function* firstBytes(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > bytes) throw Object.assign(new Error(`more than ${bytes} bytes`), { name: 'AnswerTooLong' });
    yield chunk;
  }
}
