import type { Partition } from '../identity/index.ts';

/** A Region that every account of a partition has, and where IAM has its quotas. */
export const HOME_REGIONS: Readonly<Record<Partition, string>> = {
  aws: 'us-east-1',
  'aws-us-gov': 'us-gov-west-1',
  'aws-cn': 'cn-north-1',
};
