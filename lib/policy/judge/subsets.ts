import { tooMuch } from './too-much.ts';

/** Subsets that are looked at, at most. */
const MOST = 5000;

/** All subsets of at most `most` elements, the smaller ones first. */
export function subsetsOf<Element>(elements: readonly Element[], most: number): readonly (readonly Element[])[] {
  const subsets: (readonly Element[])[] = [[]];
  let ofOneSize: readonly { readonly set: readonly Element[]; readonly next: number }[] = [{ set: [], next: 0 }];
  for (let size = 0; size < most; size++) {
    ofOneSize = ofOneSize.flatMap(({ set, next }) =>
      elements.slice(next).map((element, index) => ({ set: [...set, element], next: next + index + 1 })),
    );
    subsets.push(...ofOneSize.map(({ set }) => set));
    if (subsets.length > MOST) throw tooMuch('values');
  }
  return subsets;
}
