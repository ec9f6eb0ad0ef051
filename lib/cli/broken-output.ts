/**
 * Makes a command fail whose standard output cannot be written. A reader that has seen enough, such as head, is no
 * fault to speak of.
 */
export function onBrokenOutput(
  host: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'exitCode'>,
  stop: () => void = () => {},
): void {
  host.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') host.stderr.write(`error: standard output cannot be written: ${error.message}\n`);
    host.exitCode = 1;
    stop();
  });
}
