import { AwsFault } from './aws-fault.ts';
import type { Constraints } from './constraints.ts';
import type { QueryParameters } from './query.ts';
import type { RoleSession } from './store.ts';

/** @see IAM User Guide, "IAM and AWS STS quotas" */
const TAGS = { count: 50, keyLength: 128, valueLength: 256 } as const;
const TAG_CHARACTERS = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]';

/**
 * The tags of a call.
 * @param code of the fault of tags that may not be: STS and IAM call it otherwise
 */
export function readTags(
  parameters: QueryParameters,
  constraints: Constraints,
  code: 'InvalidParameterValue' | 'InvalidInput' = 'InvalidParameterValue',
): Readonly<Record<string, string>> {
  const keys = parameters.list('Tags', 'Key');
  const values = parameters.list('Tags', 'Value');
  constraints.listLength('tags', keys.length, { max: TAGS.count });
  const tags: [string, string][] = [];
  const seen = new Set<string>();
  for (const [index, key] of keys.entries()) {
    const place = `tags.${index + 1}.member`;
    const text = constraints.text(`${place}.key`, key, {
      required: true,
      min: 1,
      max: TAGS.keyLength,
      pattern: `${TAG_CHARACTERS}+`,
    });
    const value = constraints.text(`${place}.value`, values[index], {
      required: true,
      max: TAGS.valueLength,
      pattern: `${TAG_CHARACTERS}*`,
    });
    tags.push([text, value]);
    if (/^aws:/i.test(text)) throw invalidTag(`Tag keys that begin with aws: are reserved: ${text}`, code);
    if (seen.has(text.toLowerCase()))
      throw invalidTag('Duplicate tag keys found. Please note that Tag keys are case insensitive.', code);
    seen.add(text.toLowerCase());
  }
  return Object.fromEntries(tags);
}

/** The tags that pass on to the sessions that a session starts. */
export function inheritedTagsOf(session: RoleSession | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((session?.transitiveTagKeys ?? []).map((key) => [key, session?.tags[key] ?? '']));
}

/** A chained call can add transitive tags, and can neither change nor hide the ones it inherits. */
export function readTransitiveTagKeys(
  parameters: QueryParameters,
  tags: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string>>,
): readonly string[] {
  const reserved = new Set(Object.keys(inherited).map((key) => key.toLowerCase()));
  for (const key of Object.keys(tags)) {
    if (reserved.has(key.toLowerCase())) {
      throw invalidTag(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
      );
    }
  }
  return parameters.list('TransitiveTagKeys').map((key) => {
    const match = Object.keys(tags).find((given) => given.toLowerCase() === key?.toLowerCase());
    if (match === undefined) {
      throw invalidTag('The specified transitive tag key must be included in the requested tags.');
    }
    return match;
  });
}

function invalidTag(message: string, code = 'InvalidParameterValue'): AwsFault {
  return new AwsFault(code, 400, message);
}
