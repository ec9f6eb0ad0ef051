import { type FaultPath, fault, type RuleFault } from './faults.ts';

/**
 * Tags on one resource: the 50 of AWS less those that this package may add.
 * @see IAM User Guide, "IAM and AWS STS quotas"; AWS General Reference, "Tagging your AWS resources"
 */
const MOST_TAGS = 50 - 5;
const KEY_LENGTH = 128;
const VALUE_LENGTH = 256;
/** Letters, digits and spaces of any language, and `_.:/=+-@`. */
const CHARACTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const CHARACTERS_RULE = 'must hold letters, digits, spaces and "_.:/=+-@" only';

/**
 * The rules on tags. IAM takes keys for the same that differ only by case.
 * @param inherited tags that are added to these
 */
export function checkTags(
  path: FaultPath,
  tags: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string>> = {},
): readonly RuleFault[] {
  const faults: RuleFault[] = [];
  const known = new Map(Object.keys(inherited).map((key) => [key.toLowerCase(), key]));
  for (const [key, value] of Object.entries(tags)) {
    const keyFault = (rule: string, fix: string) =>
      faults.push(fault([...path, key], key, `tag key ${rule}`, fix, { isKey: true }));
    const valueFault = (rule: string, fix: string) =>
      faults.push(fault([...path, key], value, `tag value ${rule}`, fix));

    if (key.length < 1 || key.length > KEY_LENGTH) keyFault(`must have 1 to ${KEY_LENGTH} characters`, 'shorten it');
    if (/^aws:/i.test(key)) keyFault('must not begin with "aws:", which AWS keeps for itself', 'choose another');
    if (!CHARACTERS.test(key)) keyFault(CHARACTERS_RULE, 'leave the others out');
    if (value.length > VALUE_LENGTH) valueFault(`must have at most ${VALUE_LENGTH} characters`, 'shorten it');
    if (!CHARACTERS.test(value)) valueFault(CHARACTERS_RULE, 'leave the others out');

    const other = known.get(key.toLowerCase());
    if (other !== undefined && other !== key) {
      keyFault('must differ from every other by more than case', `write it as ${JSON.stringify(other)}, or remove one`);
    }
    known.set(key.toLowerCase(), key);
  }
  if (faults.length === 0 && known.size > MOST_TAGS) {
    const rule = `a resource must have at most ${MOST_TAGS} tags, those of the cluster included`;
    faults.push(fault(path, known.size, rule, 'remove some'));
  }
  return faults;
}
