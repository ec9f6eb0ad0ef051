import { printable, SessionBrokerError } from '../errors.ts';
import { errorLine } from './error-line.ts';

/**
 * Makes a command fail whose standard output cannot be written. A reader that has seen enough, such as head, is no
 * fault to speak of.
 */
export function onBrokenOutput(
  host: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'exitCode'>,
  stop: () => void = () => {},
): void {
  host.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const broken = new SessionBrokerError(
      'OutputUnwritable',
      `standard output must be writable: ${printable(error.message)}; make room where it goes, or send it elsewhere`,
    );
    if (error.code !== 'EPIPE') host.stderr.write(`${errorLine(broken)}\n`);
    host.exitCode = broken.exitCode;
    stop();
  });
}
