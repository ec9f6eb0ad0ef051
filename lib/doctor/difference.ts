import { quote } from '../errors.ts';
import { listOf, type PolicyDocument, type Statement } from '../policy/index.ts';
import { isSamePolicy } from '../policy/same-policy.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * In what a deployed policy differs from the one that is wanted, in words.
 * @param deployed parsed JSON, whatever it holds
 * @returns undefined where they are the same
 */
export function differenceOf(deployed: unknown, wanted: PolicyDocument): string | undefined {
  if (isSamePolicy(deployed, wanted)) return undefined;
  const given = isObject(deployed) ? listOf(deployed['Statement'] as Statement | readonly Statement[]) : [];
  const left = [...given];
  const missing: Statement[] = [];
  for (const statement of wanted.Statement) {
    const index = left.findIndex((other) => isSamePolicy(other, statement));
    if (index === -1) missing.push(statement);
    else left.splice(index, 1);
  }
  const changes = missing.map((statement) => {
    const index = left.findIndex((other) => other?.Sid !== undefined && other.Sid === statement.Sid);
    const [changed] = index === -1 ? [] : left.splice(index, 1);
    return changed === undefined
      ? `it lacks ${nameOf(statement)}`
      : firstChange(statement.Sid ?? '', changed, statement);
  });
  const further = left.map((statement) => `it has a further statement, ${quote(statement)}`);
  const all = [...changes, ...further];
  return all.length === 0 ? `it is ${quote(deployed)}` : all.slice(0, MOST).join('; ') + more(all.length - MOST);
}

/** Changes that are told; more say less. */
const MOST = 3;

function more(count: number): string {
  return count > 0 ? `; and ${count} more` : '';
}

function nameOf(statement: Statement): string {
  return statement.Sid ?? quote(statement);
}

/** The first place in which two values differ, along the wanted one. */
function firstChange(path: string, deployed: unknown, wanted: unknown): string {
  if (isObject(deployed) && isObject(wanted)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(deployed)])) {
      if (!isSamePolicy(deployed[key], wanted[key])) return firstChange(`${path}.${key}`, deployed[key], wanted[key]);
    }
  }
  if (deployed === undefined) return `${path} is missing, it should be ${quote(wanted)}`;
  return wanted === undefined
    ? `${path} is ${quote(deployed)}, and should not be there`
    : `${path} is ${quote(deployed)}, it should be ${quote(wanted)}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
