import { limitAnswer } from './answer-limit.ts';
import { checkTransport, type Service, type TransportCheck } from './transport.ts';

/** A client of the SDK as far as it is guarded here. */
export interface Guarded {
  readonly middlewareStack: {
    add(middleware: never, options: { readonly step: 'build'; readonly priority: 'low' }): void;
    add(middleware: never, options: { readonly step: 'deserialize'; readonly priority: 'low' }): void;
  };
}

interface Guards {
  readonly check: TransportCheck;
  /** Bytes. */
  readonly longestAnswer: number;
}

/** Lets a client of the SDK send nothing in the clear, and read no answer without end. */
export function guard({ middlewareStack }: Guarded, service: Service, { check, longestAnswer }: Guards): void {
  middlewareStack.add(checkTransport(check, service) as never, { step: 'build', priority: 'low' });
  middlewareStack.add(limitAnswer(longestAnswer) as never, { step: 'deserialize', priority: 'low' });
}
