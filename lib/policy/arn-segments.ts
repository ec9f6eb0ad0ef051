/**
 * arn:partition:service:region:account:resource, where the resource may itself contain colons
 * @returns the six segments, or undefined for text with fewer
 */
export function splitArn(arn: string): readonly string[] | undefined {
  const segments: string[] = [];
  let start = 0;
  while (segments.length < 5) {
    const colon = arn.indexOf(':', start);
    if (colon < 0) return undefined;
    segments.push(arn.slice(start, colon));
    start = colon + 1;
  }
  segments.push(arn.slice(start));
  return segments;
}

/** The account that an ARN names; empty where it names none. */
export function accountOf(arn: string): string {
  return splitArn(arn)?.[4] ?? '';
}
