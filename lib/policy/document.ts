/** One value, or several. IAM reads a lone value and a list of one alike; this package renders the lone value. */
export type OneOrMany<Value> = Value | readonly Value[];

/** Values by condition operator, then by condition key. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, OneOrMany<string>>>>>;

/** A statement of an IAM policy, as IAM reads it. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, OneOrMany<string>>>;
  readonly NotPrincipal?: '*' | Readonly<Record<string, OneOrMany<string>>>;
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  readonly Condition?: Conditions;
}

/** An IAM policy, as IAM reads it. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** A policy of these statements. */
export function policyDocument(statements: readonly Statement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

/** A list as a policy shows it: the lone value of a list of one. */
export function oneOrMany<Value>(values: readonly Value[]): OneOrMany<Value> {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

/** The values of an element that may stand alone. */
export function listOf<Value>(values: OneOrMany<Value> | undefined): readonly Value[] {
  if (values === undefined) return [];
  return Array.isArray(values) ? values : [values as Value];
}
