import { UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { onTestFinished, vi } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import type { Exercise, Exercised } from '../../lib/verify/exercise.ts';
import { exercise } from '../../lib/verify/exercise.ts';
import { type Hop, type HopRequest, openHop } from '../../lib/verify/hop.ts';
import { iamClient } from '../local/clients.ts';

export const SESSION = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
export const NAME = `agent.acme.${SESSION}`;

/** Makes this process what an environment says. */
export function setEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

/** A dispatcher of acme at its role, until the test ends. */
export async function hopOf(request: Partial<HopRequest> = {}): Promise<Hop> {
  const hop = await openHop(
    { cluster: 'hub', tenant: 'acme', session: SESSION, ...request },
    { warn: () => {}, signal: new AbortController().signal },
  );
  onTestFinished(() => hop[Symbol.dispose]());
  return hop;
}

/** What acme's dispatcher exercises. */
export async function exerciseAcme(given: Partial<Exercise> = {}): Promise<Exercised> {
  return exercise(await hopOf(), { chainTo: [], withoutCallerPolicy: false, ...given });
}

/** Each step with its outcome. */
export function outcomesOf({ steps }: Pick<Exercised, 'steps'>): Readonly<Record<string, string>> {
  return Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]));
}

export function evidenceOf({ steps }: Pick<Exercised, 'steps'>, name: string): string {
  return steps.find(({ step }) => step === name)?.evidence ?? '';
}

/** Saves another trust policy on a role, as somebody may who can. */
export async function trust(account: LocalAccount, roleName: string, ...statements: readonly object[]): Promise<void> {
  const document = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await iamClient(account).send(new UpdateAssumeRolePolicyCommand({ RoleName: roleName, PolicyDocument: document }));
}
