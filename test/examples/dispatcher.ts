import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalAccount } from '../../lib/local/index.ts';
import { installCommand } from '../support/dependent-project.ts';

/** The folder of the examples. */
export const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');

/**
 * The environment of acme's dispatcher in a pod, with a web identity, and with the command `session-broker` in its
 * path.
 * @param folder takes what the environment names; a program in it is found first
 */
export function dispatcherInPod(account: LocalAccount, folder: string): Record<string, string> {
  installCommand(folder);
  const tokenFile = join(folder, 'web-identity');
  writeFileSync(tokenFile, account.mintWebIdentityToken('hub', 'acme'));
  const runtimeFolder = join(folder, 'run');
  mkdirSync(runtimeFolder);
  return {
    PATH: `${folder}:${process.env['PATH']}`,
    HOME: folder,
    XDG_RUNTIME_DIR: runtimeFolder,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...account.webIdentityEnvironment('hub', 'acme', tokenFile),
  };
}

/** The source identities under which a role was assumed, in order of their names. */
export function assumedIdentities(account: LocalAccount): readonly unknown[] {
  return account
    .events()
    .filter(({ eventName }) => eventName === 'AssumeRole')
    .map(({ requestParameters }) => requestParameters?.['sourceIdentity'])
    .sort();
}

/** The one command that an example's README gives for a shell in the example's folder. */
export function commandOf(example: string): string {
  const readme = readFileSync(join(EXAMPLES, example, 'README.md'), 'utf8');
  const [[, command = ''] = [], ...others] = readme.matchAll(/^```sh\n([\s\S]*?)^```/gm);
  if (command === '' || others.length > 0) throw new Error(`${example}/README.md must have one block of sh`);
  return command;
}
