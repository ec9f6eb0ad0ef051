import type { PermissionsPolicyProps } from '../../lib/policy/index.ts';

/** Every kind of permission that this package grants by itself, for a role that goes on to `chainTo`. */
export function everyPermission(chainTo: readonly string[]): PermissionsPolicyProps {
  return {
    partition: 'aws',
    account: '111122223333',
    region: 'us-west-2',
    models: ['amazon.nova-lite-v1:0'],
    inferenceProfiles: { 'global.anthropic.claude-sonnet-4-5-20250929-v1:0': [] },
    eksClusterName: 'hub',
    chainTo,
    statements: [],
  };
}
