import { type AwsFault, validationError } from './aws-fault.ts';

export interface TextConstraint {
  readonly required?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** What the whole text must match, as AWS writes it in messages. */
  readonly pattern?: string;
  /** What the text must be one of. */
  readonly values?: readonly string[];
  /** Whether the message leaves the value out. */
  readonly sensitive?: boolean;
}

/** The characters of a role session name and a source identity. */
export const NAME_PATTERN = '[\\w+=,.@-]*';

/** Checks parameters as AWS does: all of them, then one error that lists every fault. */
export class Constraints {
  readonly #faults: string[] = [];

  text(field: string, value: string | undefined, constraint: TextConstraint): string {
    const {
      required = false,
      min = 0,
      max = Number.POSITIVE_INFINITY,
      pattern,
      values,
      sensitive = false,
    } = constraint;
    if (value === undefined) {
      if (required) this.#faults.push(`Value null at '${field}' failed to satisfy constraint: Member must not be null`);
      return '';
    }
    const shown = sensitive ? '' : ` '${value}'`;
    const fail = (rule: string) =>
      this.#faults.push(`Value${shown} at '${field}' failed to satisfy constraint: ${rule}`);
    if (value.length < min) fail(`Member must have length greater than or equal to ${min}`);
    if (value.length > max) fail(`Member must have length less than or equal to ${max}`);
    if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 'u').test(value)) {
      fail(`Member must satisfy regular expression pattern: ${pattern}`);
    }
    if (values !== undefined && !values.includes(value)) {
      fail(`Member must satisfy enum value set: [${values.join(', ')}]`);
    }
    return value;
  }

  integer(field: string, value: string | undefined, { min, max }: { min: number; max: number }): number | undefined {
    if (value === undefined) return undefined;
    const fail = (rule: string) =>
      this.#faults.push(`Value '${value}' at '${field}' failed to satisfy constraint: ${rule}`);
    const number = Number(value);
    if (!/^-?\d{1,15}$/.test(value)) fail('Member must be an integer');
    else if (number < min) fail(`Member must have value greater than or equal to ${min}`);
    else if (number > max) fail(`Member must have value less than or equal to ${max}`);
    return number;
  }

  boolean(field: string, value: string | undefined): boolean | undefined {
    if (value === 'true' || value === 'false') return value === 'true';
    if (value !== undefined) {
      this.#faults.push(`Value '${value}' at '${field}' failed to satisfy constraint: Member must be a boolean`);
    }
    return undefined;
  }

  listLength(field: string, length: number, { min = 0, max }: { min?: number; max: number }): void {
    const fail = (rule: string) => this.#faults.push(`Value at '${field}' failed to satisfy constraint: ${rule}`);
    if (length < min) fail(`Member must have length greater than or equal to ${min}`);
    if (length > max) fail(`Member must have length less than or equal to ${max}`);
  }

  /** @throws {AwsFault} with all faults found so far */
  assert(fault: (message: string) => AwsFault = validationError): void {
    const count = this.#faults.length;
    if (count === 0) return;
    throw fault(`${count} validation error${count === 1 ? '' : 's'} detected: ${this.#faults.join('; ')}`);
  }
}
