import { connect } from 'node:net';

/** What a server said on one connection, as far as it is HTTP. */
export interface WireAnswer {
  /** Undefined if the server said nothing. */
  readonly status: number | undefined;
  /** The lines of the first head, in lower case, without the date. */
  readonly head: readonly string[];
  readonly body: string;
}

/**
 * Sends bytes over a connection of their own and reads until the server ends it.
 * @param ends whether the client says that nothing will follow
 */
export function exchange(url: string, bytes: string, { ends = false } = {}): Promise<WireAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () =>
      ends ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1'),
    );
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(parse(text)));
  });
}

function parse(text: string): WireAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.toLowerCase().split('\r\n');
  const status = /^http\/1\.1 (\d{3}) /.exec(first)?.[1];
  return {
    status: status === undefined ? undefined : Number(status),
    head: lines.filter((line) => !line.startsWith('date:')),
    body: rest.join('\r\n\r\n'),
  };
}

/** A request for a path, as a client writes it. Headers that are undefined are left out. */
export function requestOf(
  path: string,
  headers: Readonly<Record<string, string | undefined>>,
  method = 'GET',
  body = '',
): string {
  const lines = Object.entries({ ...headers, Connection: 'close' })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
