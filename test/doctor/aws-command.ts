import * as eks from '@aws-sdk/client-eks';
import * as iam from '@aws-sdk/client-iam';
import * as ssm from '@aws-sdk/client-ssm';

/** What a shell takes for one word: bare text, text in single quotes and quoted single quotes, without a gap. */
const WORD = /(?:'[^']*'|\\'|[^\s'\\"$`;&|<>()*?[\]#~!{}])+/y;

/** The words of a command, as a shell splits it: one in a process of its own takes longer than all that is asked then. */
export function wordsOf(command: string): readonly string[] {
  const words: string[] = [];
  for (WORD.lastIndex = 0; WORD.lastIndex < command.length; WORD.lastIndex++) {
    const start = WORD.lastIndex;
    const [word] = WORD.exec(command) ?? [];
    if (word === undefined) throw new Error(`not quoted for a shell at ${start}: ${command}`);
    words.push(word.replace(/'([^']*)'|\\'/g, (_, quoted: string | undefined) => quoted ?? "'"));
  }
  return words;
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
