import { ANYTHING, charactersOf, type Language, literal, many, one, type Shape, within } from './shapes.ts';

/** @see STS API Reference, AssumeRole, SourceIdentity and RoleSessionName; IAM API Reference, CreateRole, RoleName */
const NAME = charactersOf('name', /[\w+=,.@-]/);
const DIGIT = charactersOf('digit', /\d/);
const ID = charactersOf('id', /[A-Z0-9]/);
const PATH = charactersOf('path', /[\x21-\x7e]/);
const SERVICE = charactersOf('service', /[a-z0-9.-]/);
export const NO_COLON = charactersOf('no colon', /[^:]/);
export const NO_SLASH = charactersOf('no slash', /[^/]/);

/** A source identity or the name of a role session, apart from how long they may be. */
export const NAME_SHAPE: Shape = [one(NAME), one(NAME), many(NAME)];

/** The name of a role or a user. */
export const NAMED: Shape = [one(NAME), many(NAME)];

export const ANY_TEXT: Shape = [many(ANYTHING)];
export const ANY_ACCOUNT: Shape = Array.from({ length: 12 }, () => one(DIGIT));
export const ANY_SERVICE: Shape = [one(SERVICE), many(SERVICE)];

/** What signs a request and has an ARN. */
export type Kind = 'role' | 'user';

/** Unique ids. */
export const ANY_ID: Readonly<Record<Kind, Shape>> = {
  role: [...literal('AROA'), one(ID), many(ID)],
  user: [...literal('AIDA'), one(ID), many(ID)],
};

/** What `aws:userid` is: for a role with the name of the session. */
export const ANY_CALLER: Readonly<Record<Kind, Language>> = {
  role: [[...ANY_ID.role, ...literal(':'), ...NAME_SHAPE]],
  user: [ANY_ID.user],
};

/** arn:<partition>:iam::<account>:<anything> */
export function arnShape(partition: Shape, account: Shape, rest: Shape = ANY_TEXT): Shape {
  return [
    ...literal('arn:'),
    ...within(partition, NO_COLON),
    ...literal(':iam::'),
    ...account,
    ...literal(':'),
    ...rest,
  ];
}

/** A role or user of that name, under any path. */
export function named(kind: Kind, partition: Shape, account: Shape, name: Shape): Language {
  return [
    arnShape(partition, account, [...literal(`${kind}/`), ...name]),
    arnShape(partition, account, [...literal(`${kind}/`), many(PATH), ...literal('/'), ...name]),
  ];
}
