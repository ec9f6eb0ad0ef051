import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/parse.ts';
import { quote, SessionBrokerError } from '../errors.ts';
import { type Partition, parseRoleArn } from '../identity/index.ts';

export function readConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SessionBrokerError(
      'ConfigUnreadable',
      `configuration file must be readable: ${quote(file)} is not; correct the path`,
      { cause, detail: { files: [file] } },
    );
  }
  return parseConfig(text, file);
}

interface AccountPlace {
  readonly partition: Partition;
  /** A cluster's. */
  readonly region: string;
}

/** Every account that the configuration names, the clusters' first. */
export function accountsOf(config: Config): ReadonlyMap<string, AccountPlace> {
  const accounts = new Map<string, AccountPlace>();
  const add = (account: string, { partition, region }: AccountPlace): void => {
    if (!accounts.has(account)) accounts.set(account, { partition, region });
  };
  for (const cluster of config.clusters) add(cluster.account, cluster);
  for (const cluster of config.clusters) {
    for (const { tenantRole, chainTo } of cluster.tenants) {
      for (const arn of [tenantRole, ...chainTo]) add(parseRoleArn(arn).account, cluster);
    }
  }
  return accounts;
}
