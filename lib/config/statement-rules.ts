import type { Partition } from '../identity/index.ts';
import { forbiddenGrants, listOf, parsePolicyDocument, policyDocument, type Statement } from '../policy/index.ts';
import { type FaultPath, fault, faultOf, type RuleFault } from './faults.ts';

/** @see IAM User Guide, "IAM JSON policy elements: Sid" */
const SID = /^[A-Za-z0-9]+$/;
const ACTION = /^(?:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$/;

/**
 * The rules on further statements of a session-broker role: complete as IAM reads them, in the partition of the
 * cluster, and without a grant by which a session could leave its name.
 * @param sids the Sids that the role's policy has already
 */
export function checkStatements(
  statements: readonly Statement[],
  chainTo: readonly string[],
  partition: Partition | undefined,
  sids: readonly string[],
): readonly RuleFault[] {
  const path = ['statements'];
  const seen = new Set(sids);
  const grants = grantFaults(path, statements, chainTo);
  const refused = new Set(grants.map(({ path: at }) => at.join()));
  const faults = statements.flatMap((statement, index) => {
    const found = [
      ...checkSid([...path, index, 'Sid'], statement.Sid, seen),
      ...checkElements([...path, index], statement),
      ...checkTexts([...path, index], statement, partition),
    ];
    if (statement.Sid !== undefined) seen.add(statement.Sid);
    return found.length > 0 ? found : checkUnderstood([...path, index], statement);
  });
  return [...grants, ...faults.filter(({ path: at }) => !refused.has(at.join()))];
}

/** What the evaluator would not understand, AWS would refuse or, worse, never match: an operator that is misspelt. */
function checkUnderstood(path: FaultPath, { Sid: _, ...statement }: Statement): readonly RuleFault[] {
  const found = faultOf(path, undefined, () => parsePolicyDocument(policyDocument([statement]), 'statement'));
  return found.map(({ code, message }) => {
    const [rule = message, fix = 'correct it'] = message.replace(/^statement, statement 1[,:] /, '').split('; ');
    return fault(path, undefined, `statement must be as IAM reads it, and ${rule}`, fix, { code });
  });
}

function grantFaults(
  path: FaultPath,
  statements: readonly Statement[],
  chainTo: readonly string[],
): readonly RuleFault[] {
  const allowed = statements.map((statement): Statement => {
    // An allowed NotAction is at fault by itself.
    const { NotAction: _, ...rest } = statement;
    return rest;
  });
  const last = new Map<number, number>();
  return forbiddenGrants(policyDocument(allowed), chainTo).map(({ index, action, reason }) => {
    const element = statements[index]?.Action;
    // Grants come in the order of the list, where an action may stand twice.
    const position = Array.isArray(element) ? [element.indexOf(action, (last.get(index) ?? -1) + 1)] : [];
    if (position[0] !== undefined) last.set(index, position[0]);
    const [why = reason, fix = 'remove it'] = reason.split('; ');
    const rule = `statement must not allow an action that ${why}`;
    return fault([...path, index, 'Action', ...position], action, rule, fix);
  });
}

function checkSid(path: FaultPath, sid: string | undefined, seen: ReadonlySet<string>): readonly RuleFault[] {
  if (sid === undefined) return [];
  if (!SID.test(sid)) return [fault(path, sid, 'Sid must hold letters and digits only', 'leave the others out')];
  if (!seen.has(sid)) return [];
  const rule = 'Sid must be unlike every other of the policy, those that are made from the configuration included';
  return [fault(path, sid, rule, 'choose another, or leave it out')];
}

function checkElements(path: FaultPath, statement: Statement): readonly RuleFault[] {
  const faults: RuleFault[] = [];
  for (const [one, other] of [
    ['Action', 'NotAction'],
    ['Resource', 'NotResource'],
  ] as const) {
    const given = [one, other].filter((element) => statement[element] !== undefined);
    if (given.length === 1) continue;
    const [has, fix] = given.length === 0 ? ['neither', `add ${one}`] : ['both', 'remove one'];
    faults.push(fault(path, undefined, `statement must have either ${one} or ${other}, and has ${has}`, fix));
  }
  if (statement.Effect === 'Allow' && statement.NotAction !== undefined) {
    const rule = 'NotAction must not stand in a statement that allows, which would allow all that AWS adds later';
    faults.push(fault([...path, 'NotAction'], statement.NotAction, rule, 'list what is needed under Action'));
  }
  return faults;
}

/** The rules on single actions, resources and conditions. */
function checkTexts(path: FaultPath, statement: Statement, partition: Partition | undefined): readonly RuleFault[] {
  const faults: RuleFault[] = [];
  const each = (element: keyof Statement, check: (text: string, at: FaultPath) => readonly RuleFault[]): void => {
    const values = statement[element] as string | readonly string[] | undefined;
    const at = [...path, element];
    if (Array.isArray(values) && values.length === 0) {
      faults.push(fault(at, values, `${element} must name at least one`, 'add one, or remove the statement'));
    }
    for (const [index, text] of listOf(values).entries()) {
      faults.push(...check(text, typeof values === 'string' ? at : [...at, index]));
    }
  };
  const action = (text: string, at: FaultPath) =>
    ACTION.test(text)
      ? []
      : [fault(at, text, 'action must have the form <service>:<action>', 'write it like "s3:GetObject"')];
  const resource = (text: string, at: FaultPath) => checkResource(text, at, partition);
  each('Action', action);
  each('NotAction', action);
  each('Resource', resource);
  each('NotResource', resource);
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    const at = [...path, 'Condition', operator];
    if (Object.keys(keys).length === 0) {
      faults.push(fault(at, {}, 'condition must test at least one key', 'add one, or remove the operator'));
    }
    for (const [key, values] of Object.entries(keys)) {
      if (listOf(values).length > 0) continue;
      faults.push(fault([...at, key], values, 'condition must list at least one value', 'add one, or remove the key'));
    }
  }
  return faults;
}

function checkResource(text: string, at: FaultPath, partition: Partition | undefined): readonly RuleFault[] {
  if (text === '*') return [];
  const [arn, given, , , , ...rest] = text.split(':');
  if (arn !== 'arn' || given === undefined || rest.join('') === '') {
    return [fault(at, text, 'resource must be an ARN or "*"', 'write it like "arn:<partition>:s3:::<bucket>/*"')];
  }
  if (partition === undefined || given === partition || /[*?]/.test(given)) return [];
  const rule = `resource must be in the partition of the cluster, ${partition}`;
  return [fault(at, text, rule, `begin it with arn:${partition}:`)];
}
