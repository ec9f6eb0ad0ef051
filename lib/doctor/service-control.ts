import { parseForeignPolicy, policyDocument } from '../policy/index.ts';
import type { ReadFile } from '../template/assembly.ts';
import { known, type PolicyFacts } from './facts.ts';
import { readJson } from './input.ts';
import { onRecord } from './requests.ts';

/** What AWS attaches everywhere until somebody replaces it. */
const FULL_ACCESS: PolicyFacts = onRecord({
  name: 'FullAWSAccess',
  document: policyDocument([{ Effect: 'Allow', Action: '*', Resource: '*' }]),
});

/**
 * One level of an organization's service control policies: a policy, several in a list, or what
 * `aws organizations describe-policy` printed. A level of denials alone counts as one with AWS's FullAWSAccess beside
 * them: without it, nothing at all would be allowed in the account.
 * @throws {SessionBrokerError} InputUnreadable, PolicyNotUnderstood
 */
export function readServiceControl(path: string, readFile: ReadFile): readonly PolicyFacts[] {
  const given = readJson('--scp', path, readFile);
  const documents = (Array.isArray(given) ? given : [given]).map(documentOf);
  const policies = documents.map((document, index): PolicyFacts => {
    const name = documents.length === 1 ? path : `${path}, policy ${index + 1}`;
    return { name, document: known(parseForeignPolicy(document, name)) };
  });
  const allows = policies.some(({ document }) => JSON.stringify(document).includes('"Effect":"Allow"'));
  return allows ? policies : [...policies, FULL_ACCESS];
}

/** A policy, by itself or as Organizations answers with it: as text. */
function documentOf(given: unknown): unknown {
  const { Policy: policy } = (given ?? {}) as { readonly Policy?: { readonly Content?: unknown } };
  return policy?.Content ?? given;
}
