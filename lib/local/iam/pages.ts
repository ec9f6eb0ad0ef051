import { validationError } from '../aws-fault.ts';
import { Constraints } from '../constraints.ts';
import { pageOf } from '../page.ts';
import type { QueryParameters } from '../query.ts';

/** The parameters by which IAM's lists are read a page at a time. */
export const PAGE_PARAMETERS = ['Marker', 'MaxItems'];

/** @see IAM API Reference, MaxItems */
const MAX_ITEMS = { min: 1, max: 1000, default: 100 } as const;

/** A page of a list as IAM's answers tell it. */
export interface ListPage<Item> {
  readonly items: readonly Item[];
  /** What an answer tells of the rest. */
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** @throws {AwsFault} ValidationError */
export function listPage<Item>(parameters: QueryParameters, all: readonly Item[]): ListPage<Item> {
  const constraints = new Constraints();
  const count = constraints.integer('maxItems', parameters.get('MaxItems'), MAX_ITEMS) ?? MAX_ITEMS.default;
  const marker = parameters.get('Marker');
  constraints.text('marker', marker, { min: 1, max: 320 });
  constraints.assert();
  const { items, next } = pageOf(all, marker, count, validationError('Invalid Marker.'));
  return { items, rest: next === undefined ? { IsTruncated: false } : { IsTruncated: true, Marker: next } };
}
