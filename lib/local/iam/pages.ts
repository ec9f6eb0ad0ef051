import { validationError } from '../aws-fault.ts';
import { Constraints } from '../constraints.ts';
import type { QueryParameters } from '../query.ts';

/** The parameters by which IAM's lists are read a page at a time. */
export const PAGE_PARAMETERS = ['Marker', 'MaxItems'];

/** @see IAM API Reference, MaxItems */
const MAX_ITEMS = { min: 1, max: 1000, default: 100 } as const;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** What an answer tells of the rest. */
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
}

/** @throws {AwsFault} ValidationError */
export function pageOf<Item>(parameters: QueryParameters, all: readonly Item[]): Page<Item> {
  const constraints = new Constraints();
  const count = constraints.integer('maxItems', parameters.get('MaxItems'), MAX_ITEMS) ?? MAX_ITEMS.default;
  const marker = parameters.get('Marker');
  constraints.text('marker', marker, { min: 1, max: 320 });
  constraints.assert();
  const start = marker === undefined ? 0 : placeIn(marker);
  const end = start + count;
  return {
    items: all.slice(start, end),
    rest: end < all.length ? { IsTruncated: true, Marker: markerOf(end) } : { IsTruncated: false },
  };
}

function markerOf(place: number): string {
  return Buffer.from(`item ${place}`).toString('base64');
}

function placeIn(marker: string): number {
  const place = Number(/^item (\d{1,9})$/.exec(Buffer.from(marker, 'base64').toString('utf8'))?.[1]);
  if (!Number.isInteger(place)) throw validationError('Invalid Marker.');
  return place;
}
