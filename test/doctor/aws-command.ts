import { spawnSync } from 'node:child_process';
import * as eks from '@aws-sdk/client-eks';
import * as iam from '@aws-sdk/client-iam';
import * as ssm from '@aws-sdk/client-ssm';

/** The words of a command, as a shell splits it. */
export function wordsOf(command: string): readonly string[] {
  const { stdout, status, stderr } = spawnSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no shell reads ${command}: ${stderr}`);
  return stdout.split('\0').slice(0, -1);
}

export interface AwsCommand {
  readonly service: string;
  readonly operation: string;
  /** The values of each option; none for a flag. */
  readonly options: Readonly<Record<string, readonly string[]>>;
}

/** A command of the AWS CLI in its parts, without the program itself. */
export function parseAwsCommand([service = '', operation = '', ...rest]: readonly string[]): AwsCommand {
  const options: Record<string, string[]> = {};
  let values: string[] = [];
  for (const word of rest) {
    if (word.startsWith('--')) {
      values = [];
      options[word.slice(2)] = values;
    } else values.push(word);
  }
  return { service, operation, options };
}

export type Answer = Readonly<Record<string, unknown>>;

interface Client {
  send(command: object): Promise<Answer>;
  destroy(): void;
}

const SERVICES: Readonly<
  Record<string, { readonly sdk: object; readonly client: string; readonly isPascal: boolean }>
> = {
  iam: { sdk: iam, client: 'IAMClient', isPascal: true },
  ssm: { sdk: ssm, client: 'SSMClient', isPascal: true },
  eks: { sdk: eks, client: 'EKSClient', isPascal: false },
};

const LISTS = ['kubernetes-groups'];
const NUMBERS = ['max-session-duration'];
const SHORTHAND = ['access-config'];

/** Does what the AWS CLI would do, by the SDK and in this process: the CLI itself takes most of a second to start. */
export class AwsCommands implements Disposable {
  readonly #clients = new Map<string, Client>();

  /** @param region where the command does not say */
  run({ service, operation, options }: AwsCommand, region: string): Promise<Answer> {
    const known = SERVICES[service];
    if (known === undefined) throw new Error(`no service of the local account: ${service}`);
    const { region: given, profile: _, ...parameters } = options;
    const input = Object.entries(parameters).map(([name, values]) => [
      known.isPascal ? pascal(name) : camel(name),
      valueOfOption(name, values),
    ]);
    const command = construct(known.sdk, `${pascal(operation)}Command`, Object.fromEntries(input));
    return this.#client(service, given?.[0] ?? region).send(command);
  }

  #client(service: string, region: string): Client {
    const key = `${service} ${region}`;
    const { sdk = {}, client: name = '' } = SERVICES[service] ?? {};
    const client = this.#clients.get(key) ?? (construct(sdk, name, { region, maxAttempts: 1 }) as Client);
    this.#clients.set(key, client);
    return client;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }
}

function construct(sdk: object, name: string, input: object): object {
  const made = (sdk as Readonly<Record<string, (new (input: object) => object) | undefined>>)[name];
  if (made === undefined) throw new Error(`the SDK has no ${name}`);
  return new made(input);
}

function valueOfOption(name: string, values: readonly string[]): unknown {
  const [first] = values;
  if (LISTS.includes(name)) return first === '[]' ? [] : values;
  if (SHORTHAND.includes(name)) return Object.fromEntries(values.map((pair) => pair.split('=')));
  if (NUMBERS.includes(name)) return Number(first);
  return first ?? true;
}

function pascal(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function camel(name: string): string {
  const text = pascal(name);
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
