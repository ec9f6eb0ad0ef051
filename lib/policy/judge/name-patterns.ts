import type { Comparison } from '../operators.ts';
import { IDENTITY_KEYS } from './keys.ts';
import type { Scene } from './scene.ts';
import { isAnchored } from './shapes.ts';
import { variablesOf, type Wanted, wantedOf } from './wanted.ts';

/** A pattern of source identities, as the policy writes it. */
export interface NamePattern {
  readonly operator: 'StringEquals' | 'StringEqualsIgnoreCase' | 'StringLike';
  readonly value: string;
}

/** The patterns of a policy that can fix a source identity, by keys that differ where the patterns do. */
export type NamePatterns = ReadonlyMap<string, Wanted>;

/** The comparisons that can fix a name, by what asks for them without negation. */
const OPERATORS: Readonly<Partial<Record<Comparison, NamePattern['operator']>>> = {
  text: 'StringEquals',
  'text-ignoring-case': 'StringEqualsIgnoreCase',
  pattern: 'StringLike',
};

/**
 * The values of the policy that can fix a source identity: those that begin or end with characters of their own, or
 * with a variable that only the requester's own name fills in, such as `${aws:username}`. What a caller chooses fixes
 * nothing.
 */
export function namePatternsOf(scene: Scene): NamePatterns {
  const keys = new Set(IDENTITY_KEYS.flatMap((key) => [...scene.linkedWith(key)]));
  const wanted = [...keys].flatMap((key) => scene.conditionsOn(key)).flatMap(wantedOf);
  const fixing = wanted.filter(
    (value) =>
      OPERATORS[value.comparison] !== undefined &&
      !variablesOf(value).some(({ key }) => scene.isFree(key)) &&
      scene.languageOf(value).every(isAnchored),
  );
  return new Map(fixing.map((value) => [`${value.comparison} ${value.text}`, value]));
}

/** A pattern as a judgement shows it. */
export function namePattern({ comparison, text }: Wanted): NamePattern {
  return { operator: OPERATORS[comparison] ?? 'StringLike', value: text };
}
