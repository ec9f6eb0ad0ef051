import { TAG_LENGTH, TAGS_PER_RESOURCE } from '../identity/limits.ts';
import { type FaultPath, fault, type RuleFault } from './faults.ts';

/** Tags on one resource: what AWS takes less those that this package may add. */
const MOST_TAGS = TAGS_PER_RESOURCE - 5;
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

    if (key.length < 1 || key.length > TAG_LENGTH.key)
      keyFault(`must have 1 to ${TAG_LENGTH.key} characters`, 'shorten it');
    if (/^aws:/i.test(key)) keyFault('must not begin with "aws:", which AWS keeps for itself', 'choose another');
    if (!CHARACTERS.test(key)) keyFault(CHARACTERS_RULE, 'leave the others out');
    if (value.length > TAG_LENGTH.value) valueFault(`must have at most ${TAG_LENGTH.value} characters`, 'shorten it');
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
