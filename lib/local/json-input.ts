import { AwsFault, notModelled } from './aws-fault.ts';
import type { Call } from './call.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A parameter that is not looked at could change the verdict.
 * @throws {AwsFault} NotModelled
 */
export function assertOnly({ service, operation }: Call, input: JsonObject, known: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    if (!known.includes(name) && value !== null) throw notModelled(`the parameter ${name} of ${service}:${operation}`);
  }
}

/** @throws {AwsFault} SerializationException */
export function stringIn(input: JsonObject, field: string): string | undefined {
  const value = input[field] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw wrongType(field, 'a string');
}

/** @throws {AwsFault} SerializationException */
export function booleanIn(input: JsonObject, field: string): boolean {
  const value = input[field] ?? false;
  if (typeof value === 'boolean') return value;
  throw wrongType(field, 'a boolean');
}

/** @throws {AwsFault} SerializationException */
export function numberIn(input: JsonObject, field: string): number | undefined {
  const value = input[field] ?? undefined;
  if (value === undefined || typeof value === 'number') return value;
  throw wrongType(field, 'a number');
}

/** @throws {AwsFault} SerializationException */
export function objectIn(input: JsonObject, field: string): JsonObject | undefined {
  const value = input[field] ?? undefined;
  if (value === undefined || isObject(value)) return value;
  throw wrongType(field, 'an object');
}

/** @throws {AwsFault} SerializationException */
export function objectsIn(input: JsonObject, field: string): readonly JsonObject[] {
  const value = input[field] ?? [];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw wrongType(field, 'a list of objects');
}

/** @throws {AwsFault} SerializationException */
export function stringsIn(input: JsonObject, field: string): readonly string[] {
  const value = input[field] ?? [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw wrongType(field, 'a list of strings');
}

/**
 * The input that a body holds.
 * @throws {AwsFault} SerializationException
 */
export function readJson(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (isObject(value)) return value;
  } catch {
    // Answered below, as a body of another kind is.
  }
  throw new AwsFault('SerializationException', 400, 'The request body must be a JSON object');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongType(field: string, type: string): AwsFault {
  return new AwsFault('SerializationException', 400, `${field} must be ${type}`);
}
