/** An error as AWS answers it. The code is the Query protocol's; JSON services have names of their own for some. */
export class AwsFault extends Error {
  override readonly name = 'AwsFault';
  readonly code: string;
  /** HTTP status. */
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export function accessDenied(message: string): AwsFault {
  return new AwsFault('AccessDenied', 403, message);
}

export function validationError(message: string): AwsFault {
  return new AwsFault('ValidationError', 400, message);
}

/** A resource that IAM does not have. */
export function noSuchEntity(message: string): AwsFault {
  return new AwsFault('NoSuchEntity', 404, message);
}

export function malformedPolicyDocument(message: string): AwsFault {
  return new AwsFault('MalformedPolicyDocument', 400, message);
}

/** The code of {@link notModelled}. */
export const NOT_MODELLED = 'NotModelled';

/**
 * The answer to what AWS has and this account has not. AWS has no such code, so nobody takes it for AWS's opinion,
 * and no SDK retries a 400 of an unknown code.
 */
export function notModelled(what: string): AwsFault {
  return new AwsFault(NOT_MODELLED, 400, `the strict local account does not model ${what}; see docs/local-account.md`);
}
