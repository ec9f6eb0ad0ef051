import type { Partition } from '../identity/index.ts';
import type { PolicyDocument } from '../policy/index.ts';
import { shellCommand } from '../shell-word.ts';
import type { Line } from './amendments.ts';
import { type ManagedPolicyFacts, valueOr } from './facts.ts';
import { isOfAws, nameOf } from './given.ts';

export interface CommandsProps {
  /** The profile that the commands are for. */
  readonly profile?: string | undefined;
  /** The configuration that `cdk deploy` is to read, unless it finds it by itself. */
  readonly configFile?: string | undefined;
}

/** Where a command is for. */
export interface CommandPlace {
  readonly partition: Partition;
  readonly region: string;
}

/** Where a stack is, and whether it may be protected from being deleted. */
export interface StackPlace extends CommandPlace {
  readonly terminationProtection: boolean;
}

/** The commands that fix things: whole, and fit to paste into a POSIX shell. */
export class Commands {
  readonly #props: CommandsProps;

  constructor(props: CommandsProps) {
    this.#props = props;
  }

  /** A command of a service of a Region. */
  aws({ region }: CommandPlace, ...words: readonly string[]): string {
    return this.#aws([...words, '--region', region]);
  }

  /** A command of IAM, which is one for all Regions of a partition; the AWS CLI must be told which partition. */
  iam({ partition, region }: CommandPlace, ...words: readonly string[]): string {
    return this.#aws(['iam', ...words, ...(partition === 'aws' ? [] : ['--region', region])]);
  }

  saveTrust(place: CommandPlace, roleArn: string, document: PolicyDocument): string {
    return this.iam(
      place,
      'update-assume-role-policy',
      '--role-name',
      nameOf(roleArn),
      '--policy-document',
      JSON.stringify(document),
    );
  }

  putInline(place: CommandPlace, roleArn: string, policyName: string, document: PolicyDocument): string {
    return this.iam(
      place,
      'put-role-policy',
      '--role-name',
      nameOf(roleArn),
      '--policy-name',
      policyName,
      '--policy-document',
      JSON.stringify(document),
    );
  }

  deleteInline(place: CommandPlace, roleArn: string, policyName: string): string {
    return this.iam(place, 'delete-role-policy', '--role-name', nameOf(roleArn), '--policy-name', policyName);
  }

  attach(place: CommandPlace, roleArn: string, policyArn: string): string {
    return this.iam(place, 'attach-role-policy', '--role-name', nameOf(roleArn), '--policy-arn', policyArn);
  }

  detach(place: CommandPlace, roleArn: string, policyArn: string): string {
    return this.iam(place, 'detach-role-policy', '--role-name', nameOf(roleArn), '--policy-arn', policyArn);
  }

  /**
   * Makes a document the version of a managed policy that is in force, once there is room for it. None where the policy
   * is AWS's own.
   * @param document made when all tenants are examined
   */
  saveManaged(place: CommandPlace, policy: ManagedPolicyFacts, document: () => PolicyDocument): readonly Line[] {
    const { arn, spareVersion } = policy;
    if (isOfAws(arn)) return [];
    const named = ['--policy-arn', arn];
    const spare = valueOr(spareVersion, undefined);
    const room = spare === undefined ? [] : [this.iam(place, 'delete-policy-version', ...named, '--version-id', spare)];
    const save = (): string => {
      const words = [...named, '--policy-document', JSON.stringify(document()), '--set-as-default'];
      return this.iam(place, 'create-policy-version', ...words);
    };
    return [...room, save];
  }

  deploy(stackName: string): string {
    const { configFile, profile } = this.#props;
    return shellCommand([
      'npx',
      'cdk',
      'deploy',
      stackName,
      ...(configFile === undefined ? [] : ['-c', `config=${configFile}`]),
      ...(profile === undefined ? [] : ['--profile', profile]),
    ]);
  }

  /** Deletes a stack, protected or not, and waits until it is gone. */
  deleteStack(place: StackPlace, stackName: string): readonly string[] {
    return [
      ...this.unprotect(place, stackName),
      this.aws(place, 'cloudformation', 'delete-stack', '--stack-name', stackName),
      this.aws(place, 'cloudformation', 'wait', 'stack-delete-complete', '--stack-name', stackName),
    ];
  }

  /** Lets a stack be deleted whose cluster has termination protection. */
  unprotect(place: StackPlace, stackName: string): readonly string[] {
    if (!place.terminationProtection) return [];
    const words = ['update-termination-protection', '--no-enable-termination-protection', '--stack-name', stackName];
    return [this.aws(place, 'cloudformation', ...words)];
  }

  #aws(words: readonly string[]): string {
    const { profile } = this.#props;
    return shellCommand(['aws', ...words, ...(profile === undefined ? [] : ['--profile', profile])]);
  }
}
