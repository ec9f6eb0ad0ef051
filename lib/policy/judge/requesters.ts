import { accountOf, splitArn } from '../arn-segments.ts';
import type { AssumeOperation } from '../assume-role.ts';
import type { CompiledStatement } from '../compile.ts';
import type { Condition } from '../conditions.ts';
import type { PrincipalEntry } from '../principal-element.ts';
import { REQUESTER_KEYS, type Requester } from '../requester.ts';
import {
  ANY_ACCOUNT,
  ANY_CALLER,
  ANY_ID,
  ANY_SERVICE,
  ANY_TEXT,
  arnShape,
  type Kind,
  NAME_SHAPE,
  NAMED,
  NO_COLON,
  NO_SLASH,
  named,
} from './caller-shapes.ts';
import { IDENTITY_KEYS, issuerOf } from './keys.ts';
import { type Language, literal, within } from './shapes.ts';
import { tooMuch } from './too-much.ts';
import {
  defaultLanguagesOf,
  type Known,
  languageOf,
  variablesOf,
  type Wanted,
  wantedOf,
  wholeVariable,
} from './wanted.ts';
import type { Work } from './work.ts';

/** A requester that stands for all that no statement of the policy tells from it. */
export interface Representative {
  readonly requester: Requester;
  /** The keys of the requester that others for whom it stands have another value of, in lower case. */
  readonly open: ReadonlySet<string>;
}

/** Requesters that are looked at for one principal, at most. */
const MOST = 500;

const ANY_VALUE: Known = () => undefined;

const KINDS: readonly Kind[] = ['role', 'user'];

/** What is not known of a principal that is named by its account, and of one that is named less. */
const OPEN = ['aws:principalarn', 'aws:userid', 'aws:username'];
const OPEN_ANYWHERE = [...OPEN, 'aws:principalaccount'];

/** Shown for an account that may be any: those of AWS's own examples. */
const OTHER_ACCOUNTS = ['444455556666', '777788889999'];

/** Makes the requesters that one policy tells apart. */
export class Requesters {
  readonly #entries: readonly PrincipalEntry[];
  readonly #conditions: readonly Condition[];
  readonly #partition: string;
  readonly #account: string;
  readonly #work: Work;
  readonly #arns: readonly Language[];
  readonly #ids: readonly Language[];
  /** Whether anything depends on a unique id: else a requester is shown without. */
  readonly #asksForIds: boolean;

  /** @param roleArn whose trust policy it is */
  constructor(statements: readonly CompiledStatement[], roleArn: string, work: Work) {
    this.#work = work;
    this.#entries = statements.flatMap(({ principals }) => principals?.values ?? []);
    this.#conditions = statements.flatMap(({ conditions }) => conditions);
    this.#partition = splitArn(roleArn)?.[1] ?? '';
    this.#account = accountOf(roleArn);
    this.#arns = this.#arnLanguages();
    this.#ids = this.#idLanguages();
    this.#asksForIds = this.#hasIds();
  }

  /** Those whom an entry of a Principal element names and who can call the operation. */
  of(entry: PrincipalEntry, operation: AssumeOperation): readonly Representative[] {
    const found = operation === 'AssumeRole' ? this.#callers(entry) : this.#providers(entry, operation);
    if (found.length > MOST) throw tooMuch('callers');
    return found;
  }

  #callers(entry: PrincipalEntry): readonly Representative[] {
    switch (entry.kind) {
      case 'role':
        return this.#owners('role', [literal(entry.arn)], ['aws:userid']);
      case 'user':
        return this.#owners('user', [literal(entry.arn)], ['aws:userid']);
      case 'role-session': {
        const { account, partition, session } = entry;
        const [roleName = '', sessionName = ''] = session.split('/');
        const arns = named('role', literal(partition), literal(account), literal(roleName));
        return this.#owners('role', arns, OPEN, [[...ANY_ID.role, ...literal(`:${sessionName}`)]]);
      }
      case 'unique-id': {
        const isRole = entry.id.startsWith('AROA');
        const kind = isRole ? 'role' : 'user';
        const ids = isRole ? [...literal(`${entry.id}:`), ...NAME_SHAPE] : literal(entry.id);
        return this.#owners(kind, this.#anywhere(kind), OPEN_ANYWHERE, [ids]);
      }
      case 'account': {
        const place = [literal(entry.partition ?? this.#partition), literal(entry.account)] as const;
        return KINDS.flatMap((kind) => this.#owners(kind, named(kind, ...place, NAMED), OPEN));
      }
      case 'everyone': {
        const owners = KINDS.flatMap((kind) => this.#owners(kind, this.#anywhere(kind), OPEN_ANYWHERE));
        return [...owners, ...this.#services()];
      }
      case 'service':
        return [{ requester: { kind: 'service', service: entry.service }, open: new Set() }];
      case 'federated':
      case 'federated-user': // may not call AssumeRole
        return [];
    }
  }

  /** The identity providers of an entry: a web identity comes from an OIDC provider, an assertion from a SAML one. */
  #providers(entry: PrincipalEntry, operation: AssumeOperation): readonly Representative[] {
    const isSaml = operation === 'AssumeRoleWithSAML';
    const known = this.#entries.flatMap((other) => (other.kind === 'federated' ? [other.provider] : []));
    const prefix = `arn:${this.#partition}:iam::${this.#account}:${isSaml ? 'saml' : 'oidc'}-provider/`;
    const issuers = this.#conditions.flatMap(({ key }) => (isSaml ? [] : (issuerOf(key) ?? [])));
    const everyone = [
      `${prefix}any-provider${isSaml ? '' : '.example.com'}`,
      ...known,
      ...issuers.map((issuer) => prefix + issuer),
    ];
    const providers = entry.kind === 'everyone' ? everyone : entry.kind === 'federated' ? [entry.provider] : [];
    return [...new Set(providers)]
      .filter((provider) => /:saml-provider\//.test(provider) === isSaml)
      .map((provider) => ({ requester: { kind: 'federated', provider }, open: new Set() }));
  }

  /** Role sessions or users, one for each combination of ARN and id that the policy tells apart. */
  #owners(
    kind: Kind,
    domain: Language,
    open: readonly string[],
    ids: Language = ANY_CALLER[kind],
  ): readonly Representative[] {
    const arns = this.#work.textClasses(domain, this.#arns, {
      preferred: [this.#account, ...OTHER_ACCOUNTS].map((account) => this.#arnOf(account, `${kind}/any-${kind}`)),
    });
    const userIds = this.#work.textClasses(ids, this.#ids, { preferred: this.#preferredIds });
    return arns
      .filter((arn) => this.#canExist(kind, arn))
      .flatMap((arn) =>
        userIds.map((userId) => ({ requester: this.#requester(kind, arn, userId), open: new Set(open) })),
      );
  }

  /** A name stands once in an account, under one path: where the policy names its ARN, it is that one. */
  #canExist(kind: Kind, arn: string): boolean {
    const known = this.#entries.flatMap((entry) =>
      entry.kind === kind && isNamesake(entry.arn, arn) ? entry.arn : [],
    );
    return known.length === 0 || known.includes(arn);
  }

  /** An id that no policy names with a plain session, and what the policy names of either. */
  get #preferredIds(): readonly string[] {
    const named = this.#entries.flatMap((entry) => {
      if (entry.kind === 'unique-id') return `${entry.id}:session`;
      return entry.kind === 'role-session' ? `AROAEXAMPLE:${entry.session.split('/')[1]}` : [];
    });
    return ['AROAEXAMPLE:session', 'AIDAEXAMPLE', ...named];
  }

  /** @param userId as `aws:userid` has it; shown only where it matters */
  #requester(kind: Kind, arn: string, userId: string): Requester {
    const [id = '', sessionName = ''] = userId.split(':');
    if (kind === 'user') return { kind: 'user', userArn: arn, ...(this.#asksForIds ? { userId: id } : {}) };
    return { kind: 'role-session', roleArn: arn, ...(this.#asksForIds ? { roleId: id } : {}), sessionName };
  }

  #services(): readonly Representative[] {
    const known = this.#entries.flatMap((entry) => (entry.kind === 'service' ? [[literal(entry.service)]] : []));
    const languages = [...known, ...this.#languagesOf('aws:principalservicename')];
    const services = this.#work.textClasses([ANY_SERVICE], languages, { preferred: ['any-service.amazonaws.com'] });
    return services.map((service) => ({
      requester: { kind: 'service', service },
      open: new Set(['aws:principalservicename']),
    }));
  }

  #anywhere(kind: Kind): Language {
    return named(kind, literal(this.#partition), ANY_ACCOUNT, NAMED);
  }

  #arnOf(account: string, resource: string): string {
    return `arn:${this.#partition}:iam::${account}:${resource}`;
  }

  /** What tells ARNs of roles and users apart: principals, and conditions on all keys that follow from an ARN. */
  #arnLanguages(): readonly Language[] {
    const principals = this.#entries.flatMap((entry): readonly Language[] => {
      switch (entry.kind) {
        case 'role':
        case 'user':
          return [[literal(entry.arn)]];
        case 'account':
          return [
            [arnShape(entry.partition === undefined ? ANY_TEXT : literal(entry.partition), literal(entry.account))],
          ];
        case 'role-session': {
          const [roleName = ''] = entry.session.split('/');
          return [named('role', literal(entry.partition), literal(entry.account), literal(roleName))];
        }
        default:
          return [];
      }
    });
    const accounts = this.#languagesOf('aws:principalaccount').map((language) =>
      language.map((shape) => arnShape(ANY_TEXT, within(shape, NO_COLON))),
    );
    const userNames = this.#languagesOf('aws:username').map((language) =>
      language.flatMap((shape) => named('user', ANY_TEXT, ANY_ACCOUNT, within(shape, NO_SLASH))),
    );
    return [...principals, ...this.#languagesOf('aws:principalarn'), ...accounts, ...userNames];
  }

  /** What tells unique ids apart, and for roles the name of the calling session after the colon. */
  #idLanguages(): readonly Language[] {
    const principals = this.#entries.flatMap((entry): readonly Language[] => {
      if (entry.kind === 'unique-id') return [[literal(entry.id), [...literal(`${entry.id}:`), ...ANY_TEXT]]];
      if (entry.kind !== 'role-session') return [];
      const [, sessionName = ''] = entry.session.split('/');
      return [[[...ANY_TEXT, ...literal(`:${sessionName}`)]]];
    });
    return [...principals, ...this.#languagesOf('aws:userid')];
  }

  #hasIds(): boolean {
    return (
      this.#entries.some(({ kind }) => kind === 'unique-id') ||
      this.#conditions.some(
        (condition) =>
          condition.key.toLowerCase() === 'aws:userid' ||
          wantedOf(condition).some((wanted) => variablesOf(wanted).some(({ key }) => key === 'aws:userid')),
      )
    );
  }

  /**
   * What a requester's key is compared with: in conditions on the key, and in those that compare another key with it,
   * since the two then share what the other is compared with.
   */
  #languagesOf(requesterKey: string): readonly Language[] {
    const direct = this.#conditions
      .filter(({ key }) => key.toLowerCase() === requesterKey)
      .flatMap((condition) => wantedOf(condition))
      .flatMap((wanted) => [
        languageOf(wanted, ANY_VALUE),
        ...defaultLanguagesOf(wanted, ANY_VALUE),
        ...this.#shapesWithin(wanted),
      ]);
    const compared = this.#conditions
      .filter((condition) => wantedOf(condition).some((wanted) => wholeVariable(wanted) === requesterKey))
      .flatMap(({ key }) => this.#othersOf(key));
    return [...direct, ...compared];
  }

  /** A value with a variable in it, with the shapes in its place that the variable's key is compared with. */
  #shapesWithin(wanted: Wanted): readonly Language[] {
    return variablesOf(wanted)
      .filter(({ key }) => !REQUESTER_KEYS.has(key))
      .flatMap(({ key }) =>
        this.#othersOf(key).map((language) =>
          language.flatMap((inner) => languageOf(wanted, (name) => (name === key ? inner : undefined))),
        ),
      );
  }

  #othersOf(key: string): readonly Language[] {
    const name = key.toLowerCase();
    const keys = IDENTITY_KEYS.includes(name) ? IDENTITY_KEYS : [name];
    const wanted = this.#conditions
      .filter((condition) => keys.includes(condition.key.toLowerCase()))
      .flatMap((condition) => wantedOf(condition));
    return [[NAME_SHAPE], ...wanted.map((value) => languageOf(value, ANY_VALUE))];
  }
}

/** Whether two roles or users have one account and name, whatever their paths. */
function isNamesake(arn: string, other: string): boolean {
  const nameOf = (text: string): string => text.slice(text.lastIndexOf('/') + 1).toLowerCase();
  return accountOf(arn) === accountOf(other) && nameOf(arn) === nameOf(other);
}
