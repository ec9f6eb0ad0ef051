import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { type FaultPath, fault, type RuleFault } from './faults.ts';

/** Values that a file may hold once its aliases are written out. */
const MOST_VALUES = 100_000;
/** Levels of nesting; the schema has fewer than ten. */
const DEEPEST = 50;
/** Faults of the syntax that are reported: one slip often causes many. */
const MOST_SYNTAX_FAULTS = 10;
/** Keys that an object of JavaScript gives a meaning of its own. */
const RESERVED_KEYS: readonly string[] = ['__proto__', 'constructor', 'prototype'];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A fault of the YAML itself, whose place is known before any path is. */
export interface PlacedFault extends RuleFault {
  readonly position: Position;
}

export interface YamlFile {
  /** Objects without a prototype, arrays, texts, numbers, booleans and null. */
  readonly value: unknown;
  readonly faults: readonly PlacedFault[];
  /** Where a value or its key stands; for one that is absent, where its nearest parent begins. */
  readonly locate: (path: FaultPath, isKey?: boolean) => Position;
  /** A scalar as it is written, without its quotes. */
  readonly source: (path: FaultPath) => string | undefined;
}

/**
 * A YAML 1.2 document (core schema, so that `no` is a text and `2024-01-01` too) as plain values with positions.
 * Nothing is guessed: what a reader might take in two ways is a fault.
 */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument<Node, false>(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    resolveKnownTags: false,
    keepSourceTokens: false,
    logLevel: 'error', // a second document is no error under 'silent'
  });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const root = document.contents;
  const reader = new Reader(positionAt);
  const syntax = [...document.errors, ...document.warnings].slice(0, MOST_SYNTAX_FAULTS);
  const faults: PlacedFault[] = syntax.map((error) => syntaxFault(error, positionAt));
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
    faults.push({
      ...fault([], document.directives.yaml.version, 'file must be YAML 1.2', 'remove the line that begins with %YAML'),
      position: positionAt(0),
    });
  }
  // After a slip in the syntax the tree is a guess.
  const value = faults.length > 0 ? undefined : reader.read(root, [], 0).value;
  return {
    value: reader.isFull ? undefined : value,
    faults: [...faults, ...reader.faults],
    locate: (path, isKey = false) => reader.locate(root, path, isKey),
    source: (path) => reader.source(root, path),
  };
}

interface Read {
  readonly value: unknown;
  /** How many values this one holds with all aliases written out, itself included. */
  readonly size: number;
}

class Reader {
  readonly faults: PlacedFault[] = [];
  /** Whether there were more values than {@link MOST_VALUES}. */
  isFull = false;
  readonly #positionAt: (offset: number) => Position;
  /** Complete nodes by their anchor; a later anchor of the same name replaces an earlier one. */
  readonly #anchored = new Map<string, { readonly node: Node; readonly read: Read }>();
  readonly #targets = new Map<Alias, Node>();
  readonly #pairs = new Map<YAMLMap, Map<string, Pair<Node | null, Node | null>>>();

  constructor(positionAt: (offset: number) => Position) {
    this.#positionAt = positionAt;
  }

  read(node: Node | null, path: FaultPath, depth: number): Read {
    if (node === null) return { value: null, size: 1 };
    if (isAlias(node)) return this.#readAlias(node, path);
    const read = this.#readNode(node, path, depth);
    if (node.anchor !== undefined) this.#anchored.set(node.anchor, { node, read });
    return read;
  }

  locate(root: Node | null, path: FaultPath, isKey: boolean): Position {
    const steps = this.#walk(root, path);
    const isFound = steps.length === path.length;
    const last = steps.at(-1);
    const key = last?.key ?? undefined;
    const node = last === undefined ? root : last.node;
    const isBlock = (isMap(node) || isSeq(node)) && !node.flow;
    const shown = key !== undefined && (!isFound || isKey || isBlock || node === null) ? key : node;
    return this.#positionAt(steps.length === 0 ? 0 : (shown?.range?.[0] ?? key?.range?.[0] ?? 0));
  }

  source(root: Node | null, path: FaultPath): string | undefined {
    const steps = this.#walk(root, path);
    const node = steps.at(-1)?.node;
    return steps.length === path.length && isScalar(node) ? node.source : undefined;
  }

  #readNode(node: Node, path: FaultPath, depth: number): Read {
    if (depth > DEEPEST) {
      this.#report(node, fault(path, undefined, `file must have at most ${DEEPEST} levels`, 'take out the nesting'));
      return { value: null, size: 1 };
    }
    if (isMap(node)) return this.#readMap(node, path, depth);
    if (isSeq(node)) {
      const read = node.items.map((item, index) => this.read(item as Node | null, [...path, index], depth + 1));
      return { value: read.map(({ value }) => value), size: this.#sum(node, path, read) };
    }
    return { value: isScalar(node) ? node.value : null, size: 1 };
  }

  #readMap(node: YAMLMap, path: FaultPath, depth: number): Read {
    const value: Record<string, unknown> = Object.create(null);
    const lines = new Map<string, number>();
    const read: Read[] = [];
    for (const { key, value: item } of node.items as Pair<Node | null, Node | null>[]) {
      const name = this.#keyOf(key, node, path);
      if (name === undefined || key === null) continue;
      const line = lines.get(name);
      if (line !== undefined) {
        const fix = `line ${line} has it already, join the two or remove one`;
        this.#report(key, fault([...path, name], name, 'key must appear once in its mapping', fix, { isKey: true }));
        continue;
      }
      lines.set(name, this.#positionAt(key.range?.[0] ?? 0).line);
      const entry = this.read(item, [...path, name], depth + 1);
      value[name] = entry.value;
      read.push(entry);
    }
    return { value, size: this.#sum(node, path, read) };
  }

  /** A mapping's key, if it is a text that can be one. */
  #keyOf(key: Node | null, map: YAMLMap, path: FaultPath): string | undefined {
    if (isScalar(key) && typeof key.value === 'string') {
      if (key.value === '<<') {
        const fix = 'write the keys out, or give a whole value an anchor and refer to it';
        this.#report(key, fault([...path, '<<'], '<<', 'merge keys are not part of YAML 1.2', fix, { isKey: true }));
        return undefined;
      }
      if (!RESERVED_KEYS.includes(key.value)) return key.value;
      const rule = `key must not be ${RESERVED_KEYS.join(', ')}, which programs take for something else`;
      this.#report(key, fault([...path, key.value], key.value, rule, 'choose another name', { isKey: true }));
      return undefined;
    }
    const source = isScalar(key) ? (key.source ?? '') : undefined;
    const fix = source === undefined ? 'write a plain text as key' : `put it in quotes: ${JSON.stringify(source)}`;
    this.#report(key ?? map, fault(path, source, 'key must be a text', fix, { isKey: true }));
    return undefined;
  }

  #readAlias(alias: Alias, path: FaultPath): Read {
    const target = this.#anchored.get(alias.source);
    if (target === undefined) {
      const rule = 'alias must refer to an anchor that stands before it and is complete';
      this.#report(alias, fault(path, `*${alias.source}`, rule, 'write the value out'));
      return { value: null, size: 1 };
    }
    this.#targets.set(alias, target.node);
    return target.read;
  }

  #sum(node: Node, path: FaultPath, read: readonly Read[]): number {
    const size = read.reduce((sum, entry) => sum + entry.size, 1);
    if (size <= MOST_VALUES || this.isFull) return size;
    this.isFull = true;
    const rule = `file must hold at most ${MOST_VALUES} values with its aliases written out`;
    this.#report(node, fault(path, undefined, rule, 'use fewer aliases'));
    return 1;
  }

  #report(node: Node, found: RuleFault): void {
    this.faults.push({ ...found, position: this.#positionAt(node.range?.[0] ?? 0) });
  }

  #walk(root: Node | null, path: FaultPath): readonly { key?: Node; node: Node | null }[] {
    const steps: { key?: Node; node: Node | null }[] = [];
    let node = this.#resolved(root);
    for (const step of path) {
      if (isMap(node)) {
        const pair = this.#pairsOf(node).get(String(step));
        if (pair?.key == null) break;
        node = this.#resolved(pair.value);
        steps.push({ key: pair.key, node });
      } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
        node = this.#resolved(node.items[step] as Node | null);
        steps.push({ node });
      } else {
        break;
      }
    }
    return steps;
  }

  /** A mapping's pairs by key, the first of each; made once, since a file may have a fault in every line. */
  #pairsOf(map: YAMLMap): ReadonlyMap<string, Pair<Node | null, Node | null>> {
    let pairs = this.#pairs.get(map);
    if (pairs === undefined) {
      pairs = new Map();
      for (const pair of map.items as Pair<Node | null, Node | null>[]) {
        const name = isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : undefined;
        if (name !== undefined && !pairs.has(name)) pairs.set(name, pair);
      }
      this.#pairs.set(map, pairs);
    }
    return pairs;
  }

  #resolved(node: Node | null): Node | null {
    return isAlias(node) ? (this.#targets.get(node) ?? null) : node;
  }
}

function syntaxFault(error: YAMLError, positionAt: (offset: number) => Position): PlacedFault {
  const position = positionAt(error.pos[0]);
  const rule = 'file must be valid YAML';
  const said = error.message.split('\n')[0]?.replace(/\.$/, '') ?? '';
  const reason = said.charAt(0).toLowerCase() + said.slice(1);
  const [given, fix] =
    error.code === 'MULTIPLE_DOCS'
      ? ['a second document', 'keep one, without "---" after it']
      : [reason, SYNTAX_FIXES[error.code] ?? 'correct the line'];
  return { code: 'ConfigInvalid', path: [], given, rule, fix, message: `${rule}: ${given}; ${fix}`, position };
}

const SYNTAX_FIXES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'align the line with its neighbours, and close every bracket',
  BLOCK_AS_IMPLICIT_KEY: 'put a value that contains ": " in quotes, or begin a new line',
  TAG_RESOLVE_FAILED: 'remove the tag that begins with "!"',
  BAD_DQ_ESCAPE: 'use single quotes, in which a backslash is plain',
  RESOURCE_EXHAUSTION: 'take out the nesting',
};
