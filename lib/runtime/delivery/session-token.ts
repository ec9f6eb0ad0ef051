import { randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 32;

/** Characters of a token: six bits each. */
export const TOKEN_LENGTH = Math.ceil((TOKEN_BYTES * 8) / 6);

/** What a client must send to be given a session's credentials. */
export interface SessionToken {
  /** {@link TOKEN_LENGTH} characters of Base64 for URLs. */
  readonly text: string;
  /** Whether a header says exactly this; the time it takes does not tell how much of it is right. */
  isSaid(header: string | undefined): boolean;
}

export function createSessionToken(): SessionToken {
  const text = randomBytes(TOKEN_BYTES).toString('base64url');
  const expected = Buffer.from(text, 'latin1');
  return {
    text,
    isSaid(header = '') {
      const said = Buffer.alloc(expected.length);
      said.write(header, 'latin1');
      return timingSafeEqual(said, expected) && header.length === text.length;
    },
  };
}

/** Whether a text looks like a token of ours. */
export function isSessionToken(text: string): boolean {
  return text.length === TOKEN_LENGTH && /^[\w-]+$/.test(text);
}
