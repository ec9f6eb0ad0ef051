import type { PolicyDocument } from '../policy/index.ts';
import type { Finding, Fix, StatementChange } from './findings.ts';
import type { Repair } from './repair.ts';

/**
 * Policies as they will be after every fix. Many tenants may be in the way of one policy, such as a boundary that all
 * their roles have: each fix of it saves what all of them need, or the last would undo the others.
 */
export class Amendments {
  readonly #documents = new Map<string, PolicyDocument>();

  /**
   * Repairs a policy on top of what was repaired before.
   * @param policy its ARN, or whatever else it is known by
   */
  amend(
    policy: string,
    original: PolicyDocument,
    repair: (document: PolicyDocument) => Repair | undefined,
  ): Repair | undefined {
    const repaired = repair(this.#documents.get(policy) ?? original);
    if (repaired !== undefined) this.#documents.set(policy, repaired.document);
    return repaired;
  }

  /** The changes of a repair, each as it will be after all repairs. */
  changes(repair: Repair | undefined): readonly (() => StatementChange)[] {
    return (repair?.changes ?? []).map((change) => () => {
      const { policy, index } = change;
      const statement = index === undefined ? undefined : this.final(policy).Statement[index];
      return { ...change, statement: statement ?? change.statement };
    });
  }

  /** The policy after all repairs, once all tenants are examined. */
  final(policy: string): PolicyDocument {
    const document = this.#documents.get(policy);
    if (document === undefined) throw new TypeError(`${policy} was not amended`);
    return document;
  }
}

/** A command, or what makes it once all tenants are examined. */
export type Line = string | (() => string);

/** A fix whose commands may be yet to come. */
export type DraftFix = Omit<Fix, 'commands' | 'statements'> & {
  readonly statements: readonly (StatementChange | (() => StatementChange))[];
  readonly commands: readonly Line[];
};

/** A finding whose fix may be yet to come. */
export type Draft = Omit<Finding, 'fix'> & { readonly fix: DraftFix };

export function settled({ fix, ...finding }: Draft): Finding {
  const { statements, commands } = fix;
  return {
    ...finding,
    fix: {
      ...fix,
      statements: statements.map((change) => (typeof change === 'function' ? change() : change)),
      commands: commands.map((line) => (typeof line === 'function' ? line() : line)),
    },
  };
}
