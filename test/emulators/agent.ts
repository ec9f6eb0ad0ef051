import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** A program that answers each line of its standard input with one of its standard output. */
export interface Agent {
  readonly ask: (question: string) => Promise<string>;
  /** Ends its input and waits until it has ended. */
  readonly end: () => Promise<void>;
}

/** Starts an agent, which ends with the test at the latest. */
export function startAgent(
  [program, ...args]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): Agent {
  const child = startProgram([program, ...args], environment);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      child.stdin?.write(`${question}\n`);
      const { value } = await lines.next();
      return value?.trimEnd() ?? 'no answer: the agent has ended';
    },
    end: async () => {
      const closed = once(child, 'close');
      child.stdin?.end();
      await closed;
    },
  };
}

/** Starts a program with an environment of its own alone. It ends with the test at the latest. */
export function startProgram(
  [program, ...args]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  const child = spawn(program, args, { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'close');
  });
  return child;
}
