import { notModelled } from './aws-fault.ts';

/**
 * A value of an answer in the Query protocol: lists become `<member>` elements, maps `<entry>` elements, undefined is
 * left out.
 */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | ReadonlyMap<string, XmlValue>
  | { readonly [name: string]: XmlValue };

/** The parameters of a call in the Query protocol. */
export class QueryParameters {
  readonly #values = new Map<string, string>();
  /** A name that came more than once: which of its values is meant, nobody knows. */
  readonly repeated: string | undefined;

  constructor(values: Iterable<readonly [string, string]>) {
    for (const [name, value] of values) {
      if (this.#values.has(name)) this.repeated ??= name;
      this.#values.set(name, value);
    }
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** The values of `<name>.member.1`, `<name>.member.2`, in order; with `field`, of `<name>.member.1.<field>`. */
  list(name: string, field?: string): readonly (string | undefined)[] {
    const prefix = `${name}.member.`;
    const numbers = new Set<number>();
    for (const key of this.#values.keys()) {
      if (key.startsWith(prefix)) numbers.add(Number.parseInt(key.slice(prefix.length), 10));
    }
    return [...numbers]
      .filter(Number.isSafeInteger)
      .sort((one, other) => one - other)
      .map((number) => this.#values.get(field === undefined ? `${prefix}${number}` : `${prefix}${number}.${field}`));
  }

  /**
   * A parameter that is not looked at could change the verdict.
   * @param known names in full: `RoleArn`, and for lists `TransitiveTagKeys.member.N`, `Tags.member.N.Key`
   * @throws {AwsFault} NotModelled
   */
  assertOnly(operation: string, known: readonly string[]): void {
    for (const [key, value] of this.#values) {
      if (key === 'Action' || key === 'Version' || key.startsWith('X-Amz-')) continue;
      if (known.includes(key.replace(/\.member\.[1-9]\d{0,3}(?=\.|$)/, '.member.N'))) continue;
      const isEmptyList = value === '' && known.some((name) => name.startsWith(`${key}.member.`));
      if (!isEmptyList) throw notModelled(`the parameter ${key} of ${operation}`);
    }
  }
}

/** An answer's document. */
export function renderXml(root: string, namespace: string, content: { readonly [name: string]: XmlValue }): string {
  return `<${root} xmlns="${namespace}">${render(content)}</${root}>\n`;
}

function render(value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((member) => `<member>${render(member)}</member>`).join('');
  if (value instanceof Map) {
    return [...value].map(([key, entry]) => `<entry>${render({ key, value: entry })}</entry>`).join('');
  }
  if (typeof value === 'object') {
    return Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .map(([name, child]) => `<${name}>${render(child)}</${name}>`)
      .join('');
  }
  return escapeXml(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has no way to write most control characters and half of a surrogate pair. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function escapeXml(text: string): string {
  return text.replace(NOT_XML, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
