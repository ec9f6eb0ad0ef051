import type { Child } from './child.ts';
import type { Shell } from './command.ts';

/** What ends a program that does nothing about it. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** What is passed on to a program that is run. */
export const FORWARDED: readonly NodeJS.Signals[] = [...ENDING, 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'];

/** What a terminal's keys send to every program in its foreground at once, so that the child has it already. */
const FROM_KEYS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** Signals on their way to a child. */
export interface SignalRelay extends Disposable {
  /** The first signal to end that came before there was a child. */
  readonly early: NodeJS.Signals | undefined;
  /** Fulfilled when {@link early} is there. */
  readonly untilEarly: Promise<void>;
  /** From now on signals go to this child. */
  readonly forwardTo: (child: Child) => void;
}

/** Takes over the signals of this process until it is disposed of. */
export function relaySignals(shell: Pick<Shell, 'isTerminal' | 'onSignal'>): SignalRelay {
  const atTerminal = (['stdin', 'stdout', 'stderr'] as const).some((stream) => shell.isTerminal(stream));
  let child: Child | undefined;
  let early: NodeJS.Signals | undefined;
  let endEarly = (): void => {};
  const untilEarly = new Promise<void>((resolve) => {
    endEarly = resolve;
  });
  const taken = shell.onSignal(FORWARDED, (signal) => {
    if (child !== undefined) {
      if (!atTerminal || !FROM_KEYS.includes(signal)) child.kill(signal);
    } else if (ENDING.includes(signal)) {
      early ??= signal;
      endEarly();
    }
  });
  return {
    get early() {
      return early;
    },
    untilEarly,
    forwardTo: (started) => {
      child = started;
    },
    [Symbol.dispose]: () => taken[Symbol.dispose](),
  };
}
