/** As many characters of a secret in a row are taken for a leak: fewer may be chance. */
const WINDOW = 12;

/** What is found, and as what. */
export interface Leak {
  readonly form: string;
  readonly found: string;
}

/** Forms in which a secret is written down; the first and the last characters of an encoding depend on what is around. */
const FORMS: Readonly<Record<string, (secret: string) => readonly string[]>> = {
  plain: (secret) => [secret],
  'percent-encoded': (secret) => [encodeURIComponent(secret), encodeURIComponent(secret).toLowerCase()],
  'JSON in JSON': (secret) => [secret.replaceAll('/', '\\/')],
  base64: (secret) => inBase64(secret),
  'base64 for URLs': (secret) =>
    inBase64(secret).map((text) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')),
  hexadecimal: (secret) => {
    const text = Buffer.from(secret).toString('hex');
    return [text, text.toUpperCase()];
  },
  backwards: (secret) => [[...secret].reverse().join('')],
};

/**
 * Looks for {@link WINDOW} characters in a row of any of these secrets, in whatever form.
 * @returns a function that tells the first that it finds in a text, or undefined
 */
export function leakFinder(secrets: Iterable<string>): (text: string) => Leak | undefined {
  const windows = new Map<string, string>();
  for (const secret of secrets) {
    if (secret.length < WINDOW) throw new TypeError(`a canary must have at least ${WINDOW} characters`);
    for (const [form, write] of Object.entries(FORMS)) {
      for (const written of write(secret)) {
        for (let start = 0; start + WINDOW <= written.length; start += 1) {
          windows.set(written.slice(start, start + WINDOW), form);
        }
      }
    }
  }
  return (text) => {
    for (let start = 0; start + WINDOW <= text.length; start += 1) {
      const found = text.slice(start, start + WINDOW);
      const form = windows.get(found);
      if (form !== undefined) return { form, found: text.slice(Math.max(0, start - 80), start + WINDOW + 20) };
    }
    return undefined;
  };
}

/** The three ways in which three bytes may be cut, without what depends on the neighbours. */
function inBase64(secret: string): readonly string[] {
  return [0, 1, 2].map((offset) => Buffer.from(secret.slice(offset)).toString('base64').slice(0, -4));
}
