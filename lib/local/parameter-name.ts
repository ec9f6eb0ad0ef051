import { PARAMETER_DEPTH } from '../identity/limits.ts';
import { AwsFault } from './aws-fault.ts';

/**
 * Characters in a parameter's ARN.
 * @see Systems Manager API Reference, PutParameter, Name
 */
const ARN_LENGTH = 1011;

const SEGMENTS =
  'If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_';

/**
 * The rules for the name of a parameter that is written.
 * @throws {AwsFault} ValidationException, AccessDeniedException, HierarchyLevelLimitExceededException
 */
export function assertParameterName(name: string, arn: string): void {
  if (name.includes('/') && !name.startsWith('/')) throw invalid('Parameter name must be a fully qualified name.');
  const isPath = name.startsWith('/');
  if (/^\/aws/i.test(name)) {
    throw new AwsFault('AccessDeniedException', 400, `No access to reserved parameter name: ${name}.`);
  }
  if (isPath && (/^\/ssm/i.test(name) || !/^(?:\/[\w.-]+)+$/.test(name))) {
    throw invalid(`Parameter name: can't be prefixed with "ssm" (case-insensitive). ${SEGMENTS}`);
  }
  if (!isPath && /^(?:aws|ssm)/i.test(name)) {
    throw invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).');
  }
  if (!isPath && !/^[\w.-]+$/.test(name)) {
    throw invalid('Only a mix of letters, numbers and the following 3 symbols .-_ are allowed.');
  }
  if (name.split('/').length - 1 > PARAMETER_DEPTH) {
    throw new AwsFault(
      'HierarchyLevelLimitExceededException',
      400,
      `Parameter name: a hierarchy can have a maximum of ${PARAMETER_DEPTH} levels.`,
    );
  }
  if (arn.length > ARN_LENGTH) throw invalid(`Parameter name: its ARN can have a maximum of ${ARN_LENGTH} characters.`);
}

function invalid(message: string): AwsFault {
  return new AwsFault('ValidationException', 400, message);
}
