import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConditions } from '../../../lib/policy/conditions.ts';
import {
  ANYTHING,
  charactersOf,
  eitherCase,
  isAnchored,
  type Language,
  literal,
  many,
  one,
} from '../../../lib/policy/judge/shapes.ts';
import { isIn, textClasses } from '../../../lib/policy/judge/text-classes.ts';
import { languageOf, wantedOf } from '../../../lib/policy/judge/wanted.ts';
import { matchesPattern, patternOf } from '../../../lib/policy/pattern.ts';
import { SEED } from '../../support/seed.ts';

const ANY: Language = [[many(ANYTHING)]];

/** The texts that match a pattern of StringLike. */
function like(...patterns: readonly string[]): Language {
  const [condition] = readConditions({ StringLike: { 'aws:x': patterns } }, 'policy');
  if (condition === undefined) throw new Error('no condition');
  return wantedOf(condition).flatMap((wanted) => languageOf(wanted, () => undefined));
}

/** Every text of these letters, up to a length. */
function textsOf(letters: readonly string[], length: number): readonly string[] {
  if (length === 0) return [''];
  const shorter = textsOf(letters, length - 1);
  return ['', ...letters.flatMap((letter) => shorter.map((text) => letter + text))];
}

describe('the classes of texts', () => {
  test('have one text for each combination of languages, the shortest', () => {
    expect(textClasses(ANY, [like('a*'), like('*b')])).toEqual(['', 'a', 'b', 'ab']);
    expect(textClasses(ANY, [like('agent.?*'), like('agent.*.*')])).toEqual(['', 'agent.x', 'agent..']);
    expect(textClasses(ANY, [like('a', 'b')])).toEqual(['', 'a']);
  });

  test('prefer a readable text where it stands for the same', () => {
    expect(textClasses(ANY, [like('a*')], { preferred: ['any', 'other'] })).toEqual(['any', 'other']);
    expect(textClasses([[...literal('role/'), many(ANYTHING)]], [], { preferred: ['user/x', 'role/x'] })).toEqual([
      'role/x',
    ]);
  });

  test('are those of a domain', () => {
    const digits = charactersOf('digit', /\d/);
    expect(textClasses([[one(digits), one(digits)]], [like('*a*'), like('1*')])).toEqual(['00', '10']);
    expect(textClasses([literal('abc')], [like('a*')])).toEqual(['abc']);
    expect(textClasses(ANY, [like('*aaa')], { maxLength: 2 })).toEqual(['']);
  });

  test('tell digits apart where every one of them is asked for', () => {
    const digits = charactersOf('digit', /\d/);
    const each = Array.from({ length: 10 }, (_, digit) => like(`${digit}*`));
    expect(textClasses([[one(digits)]], each)).toHaveLength(10);
    expect(textClasses([[one(digits), one(digits)]], [...each.slice(0, 1), like('??'), ...each.slice(1)])).toHaveLength(
      10,
    );
  });

  test('know letters in either case', () => {
    const folded: Language = [[one(eitherCase(0x61))]];
    expect(textClasses(ANY, [folded, like('A')])).toEqual(['', 'a', 'A']);
    expect(['a', 'A', 'b'].map((text) => isIn(folded, text))).toEqual([true, true, false]);
  });

  test('stand for every text, whatever the patterns are', () => {
    const letters = ['a', 'b', 'z'];
    const texts = textsOf(letters, 4);
    const pattern = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 5 }).map((parts) => parts.join(''));
    const language = fc.array(pattern, { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(fc.array(language, { minLength: 1, maxLength: 3 }), (patterns) => {
        const signatureOf = (text: string): string =>
          patterns.map((list) => Number(list.some((one) => matchesPattern(patternOf(one, true), text)))).join('');
        const languages = patterns.map((list) => like(...list));
        const classes = textClasses(ANY, languages);
        const signatures = classes.map(signatureOf);
        expect(new Set(signatures).size).toBe(classes.length);
        for (const text of texts) {
          expect(languages.map((one) => Number(isIn(one, text))).join('')).toBe(signatureOf(text));
          expect(signatures, text).toContain(signatureOf(text));
        }
      }),
      { numRuns: 50, seed: SEED },
    );
  });
});

test.each([
  ['agent.*', true],
  ['*.acme', true],
  ['agent', true],
  ['*', false],
  ['?', false],
  ['*acme*', false],
  ['?gent.*', false],
  ['', false],
])('a pattern is anchored where it begins or ends with a character: %j %j', (pattern, expected) => {
  const [shape = []] = like(pattern);
  expect(isAnchored(shape)).toBe(expected);
});
