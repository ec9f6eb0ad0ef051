import type { AssumeAction, AssumeOperation, AssumeRoleAttempt } from '../assume-role.ts';
import type { CompiledStatement } from '../compile.ts';
import { type Condition, conditionHolds } from '../conditions.ts';
import { contextValues } from '../context.ts';
import { REQUESTER_KEYS, requesterContext } from '../requester.ts';
import { type Asked, isAbout } from '../statement-match.ts';
import { IDENTITY_KEYS, TAG_KEYS_KEY } from './keys.ts';
import { type NamePatterns, namePatternsOf } from './name-patterns.ts';
import { merged, type Option, Possibilities } from './possibilities.ts';
import type { Representative } from './requesters.ts';
import { Scene } from './scene.ts';
import { cheapest, type Demand, type Requirement, type Solution } from './search.ts';
import { isIn } from './text-classes.ts';
import { DEFAULT_SESSION_NAME, type Part } from './units.ts';
import { variablesOf, wantedOf } from './wanted.ts';
import type { Work } from './work.ts';

/** A request that gets in. */
export interface Admitted {
  readonly attempt: AssumeRoleAttempt;
  /** The larger, the more the request needs. */
  readonly cost: number;
  /** Whether it gets in is not known: no example was found, and it is not ruled out either. */
  readonly isAssumed: boolean;
}

/** What is decided of one source identity, which stands for all that the policy does not tell from it. */
export interface Named {
  readonly name: string;
  /** Absent where it does not get in. */
  readonly admitted: Admitted | undefined;
  /** The patterns of the policy that fix it, by their keys in {@link Outcome}. */
  readonly patterns: ReadonlySet<string>;
}

/** What one requester can do by one operation. */
export interface Outcome {
  /** The request that asks for nothing but the role. */
  readonly call: AssumeRoleAttempt;
  /** The smallest request without a source identity that gets in. */
  readonly anonymous: Admitted | undefined;
  readonly names: readonly Named[];
  readonly patterns: NamePatterns;
}

/** What requesters can do, each tried once with all others like it. */
export class Outcomes {
  readonly #statements: readonly CompiledStatement[];
  readonly #roleArn: string;
  readonly #work: Work;
  readonly #known = new Map<string, Outcome>();

  constructor(statements: readonly CompiledStatement[], roleArn: string, work: Work) {
    this.#statements = statements;
    this.#roleArn = roleArn;
    this.#work = work;
  }

  of(operation: AssumeOperation, representative: Representative): Outcome {
    const concerned = new Map(
      actionsOf(operation).map((action) => [action, this.#concerned(action, representative)] as const),
    );
    const key = likeness(operation, representative, concerned);
    const outcome = this.#known.get(key) ?? this.#try(operation, representative, concerned);
    this.#known.set(key, outcome);
    return outcome;
  }

  /** The statements about an action that the requester meets as far as it cannot choose, with what else they ask. */
  #concerned(action: AssumeAction, representative: Representative): readonly Concerned[] {
    const asked = askedFor(action, representative, this.#roleArn);
    const context = contextValues(requesterContext(representative.requester));
    return this.#statements.flatMap((statement): Concerned[] => {
      if (!isAbout(statement, asked)) return [];
      const settled = statement.conditions.filter((condition) => isSettled(condition, representative));
      if (!settled.every((condition) => conditionHolds(condition, context))) return [];
      const { index, effect } = statement;
      return [{ index, effect, conditions: statement.conditions.filter((condition) => !settled.includes(condition)) }];
    });
  }

  #try(operation: AssumeOperation, representative: Representative, concerned: ConcernedByAction): Outcome {
    const conditions = new Set([...concerned.values()].flat().flatMap((statement) => statement.conditions));
    const scene = new Scene(operation, representative, [...conditions], this.#work);
    const possibilities = new Possibilities(scene);
    const identity = possibilities.componentOfKey(IDENTITY_KEYS[0] ?? '') ?? 0;
    const tags = possibilities.componentOfKey(TAG_KEYS_KEY);
    const isAnonymous: Requirement = { component: identity, isMet: ({ part }) => nameOf(part) === undefined };
    const isUntagged: readonly Requirement[] =
      tags === undefined ? [] : [{ component: tags, isMet: ({ part }) => part.tags === undefined }];
    const demands = [...concerned].flatMap(([action, statements]) => {
      // An action that the call does not need is not asked about.
      const spared: Demand =
        action === 'sts:SetSourceIdentity' ? [[isAnonymous]] : action === 'sts:TagSession' ? [isUntagged] : [];
      return demandsOf(action, statements, possibilities).map((demand): Demand => [...spared, ...demand]);
    });
    const call = {
      operation,
      requester: representative.requester,
      roleArn: this.#roleArn,
      roleSessionName: DEFAULT_SESSION_NAME,
    };
    const admit = (requirement: Requirement): Admitted | undefined => {
      const solution = cheapest(possibilities.components, [...demands, [[requirement]]], this.#work);
      return solution && admittedBy(solution, call);
    };

    const patterns = namePatternsOf(scene);
    const names = new Set((possibilities.components[identity] ?? []).flatMap(({ part }) => nameOf(part) ?? []));
    return {
      call,
      anonymous: admit(isAnonymous),
      names: [...names].map((name) => ({
        name,
        admitted: admit({ component: identity, isMet: ({ part }) => nameOf(part) === name }),
        patterns: new Set(
          [...patterns].filter(([, wanted]) => isIn(scene.languageOf(wanted), name)).map(([key]) => key),
        ),
      })),
      patterns,
    };
  }
}

/** A statement with those of its conditions that depend on what a requester chooses. */
type Concerned = Pick<CompiledStatement, 'index' | 'effect' | 'conditions'>;

type ConcernedByAction = ReadonlyMap<AssumeAction, readonly Concerned[]>;

function actionsOf(operation: AssumeOperation): readonly AssumeAction[] {
  return [`sts:${operation}`, 'sts:SetSourceIdentity', 'sts:TagSession'];
}

/** Whether a condition depends on the requester alone, and holds or fails for all for whom it stands. */
function isSettled(condition: Condition, { open }: Representative): boolean {
  const key = condition.key.toLowerCase();
  const wanted = wantedOf(condition);
  const comparesTexts = condition.operator === 'Null' || wanted.length > 0;
  return (
    REQUESTER_KEYS.has(key) &&
    (comparesTexts || !open.has(key)) &&
    wanted.every((value) => variablesOf(value).length === 0)
  );
}

/** The same for requesters who meet the same statements and can choose the same. */
function likeness(
  operation: AssumeOperation,
  { requester, open }: Representative,
  concerned: ConcernedByAction,
): string {
  const statements = [...concerned.values()];
  const keys = statements
    .flat()
    .flatMap(({ conditions }) => conditions)
    .flatMap((condition) => [
      condition.key,
      ...wantedOf(condition)
        .flatMap(variablesOf)
        .map(({ key }) => key),
    ])
    .map((key) => key.toLowerCase());
  const values = Object.entries(requesterContext(requester)).filter(([key]) => keys.includes(key.toLowerCase()));
  return JSON.stringify([
    operation,
    requester.kind === 'federated' ? requester.provider : requester.kind,
    statements.map((list) => list.map(({ index }) => index)),
    values.map(([key, value]) => [key, value, open.has(key.toLowerCase())]),
  ]);
}

/** A request as its statements are chosen, their conditions aside. */
export function askedFor(action: AssumeAction, { requester }: Representative, roleArn: string): Asked {
  const context = new Map<string, readonly string[]>();
  return { requester, action, actionInLowerCase: action.toLowerCase(), resource: roleArn, context, hasBoundary: false };
}

/** That one statement allows the action, and that none denies it. */
function demandsOf(
  action: AssumeAction,
  statements: readonly Concerned[],
  possibilities: Possibilities,
): readonly Demand[] {
  const require = (condition: Condition, holds: boolean): Requirement => ({
    component: possibilities.componentOf(condition),
    isMet: (option: Option) => possibilities.holds(condition, action, option) !== !holds,
  });
  const allowing = statements.filter(({ effect }) => effect === 'Allow');
  const denying = statements.filter(({ effect }) => effect === 'Deny');
  return [
    allowing.map(({ conditions }) => conditions.map((condition) => require(condition, true))),
    ...denying.map(({ conditions }) => conditions.map((condition) => [require(condition, false)])),
  ];
}

function admittedBy({ options, cost }: Solution, call: AssumeRoleAttempt): Admitted {
  const part = options.reduce<Part>((all, option) => merged(all, option.part), {});
  return { attempt: { ...call, ...part }, cost, isAssumed: options.some(({ isAssumed }) => isAssumed) };
}

function nameOf({ sourceIdentity, inheritedSourceIdentity }: Part): string | undefined {
  return sourceIdentity ?? inheritedSourceIdentity;
}
