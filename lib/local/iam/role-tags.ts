import { TAG_LENGTH, TAGS_PER_RESOURCE } from '../../identity/limits.ts';
import { requestTags } from '../authorize.ts';
import type { Call, Environment } from '../call.ts';
import { Constraints } from '../constraints.ts';
import type { QueryParameters } from '../query.ts';
import { limitExceeded } from '../quotas.ts';
import { readTags } from '../session-tags.ts';
import { listPage, PAGE_PARAMETERS } from './pages.ts';
import { type Answer, roleFor } from './request.ts';
import { shownTags } from './shown.ts';

export function listRoleTags(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const { tags } = roleFor(call, parameters, store, { known: PAGE_PARAMETERS });
  const { items, rest } = listPage(parameters, shownTags(tags));
  return { Tags: items, ...rest };
}

/** Keys are one whatever their case, and the one that comes last is written. */
export function tagRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const constraints = new Constraints();
  constraints.listLength('tags', parameters.list('Tags', 'Key').length, { min: 1, max: TAGS_PER_RESOURCE });
  const tags = readTags(parameters, constraints, 'InvalidInput');
  constraints.assert();
  const role = roleFor(call, parameters, store, {
    known: ['Tags.member.N.Key', 'Tags.member.N.Value'],
    recorded: { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) },
    context: requestTags(tags),
  });
  const merged = { ...withoutKeys(role.tags, Object.keys(tags)), ...tags };
  if (Object.keys(merged).length > TAGS_PER_RESOURCE) {
    throw limitExceeded('The number of tags has reached the maximum limit.');
  }
  role.tags = merged;
  return {};
}

export function untagRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const constraints = new Constraints();
  const listed = parameters.list('TagKeys');
  constraints.listLength('tagKeys', listed.length, { min: 1, max: TAGS_PER_RESOURCE });
  const keys = listed.map((key, index) =>
    constraints.text(`tagKeys.${index + 1}.member`, key, { required: true, min: 1, max: TAG_LENGTH.key }),
  );
  constraints.assert();
  const role = roleFor(call, parameters, store, {
    known: ['TagKeys.member.N'],
    recorded: { tagKeys: keys },
    context: { 'aws:TagKeys': keys },
  });
  role.tags = withoutKeys(role.tags, keys);
  return {};
}

function withoutKeys(
  tags: Readonly<Record<string, string>>,
  keys: readonly string[],
): Readonly<Record<string, string>> {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key.toLowerCase())));
}
