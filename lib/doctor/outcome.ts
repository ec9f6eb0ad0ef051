import { type Draft, settled } from './amendments.ts';
import { type Denial, NotKnown, type Unknown } from './facts.ts';
import type { Finding, Severity } from './findings.ts';

/** Something that was not checked, for want of a fact. */
export interface NotChecked {
  readonly cluster?: string | undefined;
  readonly tenant?: string | undefined;
  /** What was to be checked. */
  readonly check: string;
  /** What is not known, and why. */
  readonly missing: string;
}

const ORDER: readonly Severity[] = ['error', 'warning', 'note'];

/** What comes of checks. */
export class Outcome {
  readonly drafts: Draft[] = [];
  readonly notChecked: NotChecked[] = [];
  readonly #failures: Unknown[] = [];
  /** Checks that ran to their end. */
  checks = 0;

  /**
   * Runs a check to its end, or until it needs what is not known.
   * @returns whether it found nothing
   */
  run(about: Pick<NotChecked, 'cluster' | 'tenant'>, check: string, find: () => Iterable<Draft>): boolean {
    const before = this.drafts.length;
    try {
      for (const draft of find()) this.drafts.push(draft);
      this.checks++;
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      const { missing, failure } = error.unknown;
      this.notChecked.push({ ...about, check, missing });
      if (failure !== undefined) this.#failures.push(error.unknown);
    }
    return this.drafts.length === before;
  }

  add(other: Outcome): void {
    this.drafts.push(...other.drafts);
    this.notChecked.push(...other.notChecked);
    this.#failures.push(...other.#failures);
    this.checks += other.checks;
  }

  /** The severest findings first, and what could not be read among them: it must not pass for what was not asked. */
  bySeverity(): readonly Finding[] {
    const all = [...this.drafts.map(settled), ...failureFindings(this.#failures)];
    return ORDER.flatMap((severity) => all.filter((finding) => finding.severity === severity));
  }
}

/** One finding for each action that was denied, and for each reason of another kind. */
function failureFindings(failures: readonly Unknown[]): readonly Finding[] {
  const denials = new Map<string, Set<string>>();
  const others = new Set<string>();
  for (const { missing, failure } of failures) {
    if (failure?.denial === undefined) others.add(missing);
    else denials.set(failure.denial.action, resourcesOf(denials, failure.denial));
  }
  return [
    ...[...denials].map(([action, resources]) => deniedFinding(action, [...resources])),
    ...[...others].map(
      (missing): Finding => ({
        code: 'ReadFailed',
        severity: 'warning',
        evidence: missing,
        fix: { summary: 'see to what AWS says, and run doctor again', statements: [], commands: [] },
      }),
    ),
  ];
}

function resourcesOf(denials: ReadonlyMap<string, Set<string>>, { action, resource }: Denial): Set<string> {
  return (denials.get(action) ?? new Set<string>()).add(resource);
}

/** How many resources evidence names. */
const MOST = 3;

function deniedFinding(action: string, resources: readonly string[]): Finding {
  const more = resources.length > MOST ? ` and ${resources.length - MOST} more` : '';
  return {
    code: 'ReadFailed',
    severity: 'warning',
    evidence: `${action} was denied on ${resources.slice(0, MOST).join(', ')}${more}`,
    fix: {
      summary: 'allow it to the credentials that doctor runs with; docs/doctor.md has the whole policy',
      statements: [
        { policy: 'the policy of who runs doctor', statement: { Effect: 'Allow', Action: action, Resource: '*' } },
      ],
      commands: [],
    },
  };
}
