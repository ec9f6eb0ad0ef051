import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const page = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');

/** A row of the tables of hard rules. */
interface Rule {
  readonly id: string;
  readonly rule: string;
  readonly why: string;
  /**
   * As written, for each file: `` `test/file.test.ts`: "title"; "title" ``, or, where the tests of a file stand in
   * another that it calls, `` `test/support/other.ts`, of `test/file.test.ts`: "title" ``.
   */
  readonly enforcedBy: readonly string[];
}

const [, tables = ''] = page.split('\n## Hard rules\n');
const rows = tables.split('\n').filter((line) => line.startsWith('|') && !/^\|(?: Rule \||-)/.test(line));
const rules = rows.map((row): Rule => {
  const [, first = '', why = '', enforcedBy = ''] =
    row.split(' | ').length === 3 ? ['', ...row.slice(2, -2).split(' | ')] : [];
  const [, id = '', rule = ''] = /^\*\*([A-Z]\d+)\*\* (.+)$/.exec(first) ?? [];
  return { id, rule, why, enforcedBy: enforcedBy.split('<br>') };
});

/** The file and the titles of tests that a rule names. */
function namedIn(text: string): { readonly files: readonly string[]; readonly titles: readonly string[] } {
  const [, support, test = '', titles = ''] =
    /^(?:`(test\/support\/[\w-]+\.ts)`, of )?`(test\/[\w./-]+\.test\.ts)`: "(.+)"$/.exec(text) ?? [];
  return { files: support === undefined ? [test] : [support, test], titles: titles.split('"; "') };
}

describe('SECURITY.md', () => {
  test('has rules, each under an id of its own', () => {
    const ids = rules.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(30);
    expect(ids).not.toContain('');
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(rules)(
    'says of a rule what it is, why, and by which tests it is enforced: $id',
    ({ rule, why, enforcedBy }) => {
      for (const sentence of [rule, why]) expect(sentence).toMatch(/^[A-Z0-9`].*\.$/);
      for (const named of enforcedBy) {
        const { files, titles } = namedIn(named);
        for (const file of files) expect(existsSync(join(ROOT, file)), named).toBe(true);
        const [first = '', caller = first] = files.map((file) => readFileSync(join(ROOT, file), 'utf8'));
        if (caller !== first) expect(caller).toContain(`support/${basename(files[0] ?? '')}'`);
        const known = titlesIn(first);
        for (const title of titles) expect(known, `${named} has no test ${JSON.stringify(title)}`).toContain(title);
      }
    },
  );
});

test('the search for titles finds a test, a table of tests and a group, and no other text', () => {
  const code = `
    test('one', async () => expect('not this').toBe(true));
    test.each([['nor this', () => 1]])(
      'two: %s',
      async (_, run) => {},
    );
    describe.each(ROWS)("it's three", () => {
      it('four', function () {});
    });
    // test('nor a comment', () => {});
    note('nor that', 5);`;
  expect(titlesIn(code)).toEqual(['one', 'two: %s', "it's three", 'four']);
});

test('no test is passed over, or the only one to run', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.test.ts'))) {
    const code = readFileSync(join(import.meta.dirname, file), 'utf8');
    expect(code, file).not.toMatch(/\b(?:test|it|describe)(?:\.each)?\.(?:only|skip|todo|fails)\b/);
  }
});

/** The titles of tests and groups of tests in a file, as they are written. */
function titlesIn(code: string): readonly string[] {
  const withoutComments = code.replace(/^\s*\/\/.*$/gm, '');
  // What stands first between the brackets of a test, or of what a table of tests is called with.
  const titled =
    /(?:\b(?:test|it|describe)(?:\.\w+\([^()]*\))?|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\\n])+)\1,\s*(?:async\b|function\b|\(|\w+\s*=>)/g;
  return [...withoutComments.matchAll(titled)].map(([, , title = '']) => title.replaceAll(/\\(['"`])/g, '$1'));
}
