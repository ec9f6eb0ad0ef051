import { quote, SessionBrokerError } from '../errors.ts';
import { createTiming, keepingAlive } from '../runtime/timing.ts';
import { exercise } from '../verify/exercise.ts';
import { openHop } from '../verify/hop.ts';
import { openReader, type Reader } from '../verify/reader.ts';
import { createResult, formatResult, parseResult, type Result, verdictOf } from '../verify/result.ts';
import { isPending, watchEvents } from '../verify/watch.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
import { refuseInsideSession } from './inside-session.ts';
import { refuseNested, unwrapLoop } from './nested.ts';
import { warner } from './open-session.ts';
import { packageVersion } from './package.ts';
import { newResultFile, type ResultFile, resultFile } from './result-file.ts';
import { ROLE_HELP, ROLE_OPTIONS, roleInput } from './session-options.ts';
import { requestOf, usage, type VerifyInput } from './verify-request.ts';
import { failuresOf, renderResult } from './verify-text.ts';
import { saying } from './waiting.ts';

export const verify: Command<VerifyInput> = {
  name: 'verify',
  summary: 'proves in an account that a session gets its name and no other, and that CloudTrail shows it',
  help: `Assumes the tenant's session-broker role as its dispatcher does, under a new session id; sees that STS refuses what it
must; and waits, with other credentials, until CloudTrail shows the events with the session's name. The result is fit
for the record of a pilot. It leaves three or more refused AssumeRole calls in CloudTrail.

Usage: session-broker verify --tenant NAME [options]
       session-broker verify --resume FILE [--reader-profile NAME] [--output FILE] [--json]

Options:
${ROLE_HELP}
  --config FILE       the configuration, which tells of chainTo and roleSessionName (default: none)
  --chain-to ARN      a role that sessions go on to; may be given many times (default: what the configuration says)
  --bound             the tenant's role session names are bound (default: what the configuration says)
  --without-caller-policy
                      only see whether the hop works before the caller's policy is attached; needs --role-arn or
                      --config
  --reader-profile NAME
                      the profile that reads CloudTrail (default: stop before that, and print how to go on)
  --resume FILE       go on with an earlier result: read CloudTrail alone, by the profile, else by the SDK's default
                      credentials
  --output FILE       where the result goes (default: verify-SOURCE-IDENTITY.json, the file of --resume, or with
                      --json none)
  --json              print the result as one JSON document

Exit codes: 0 all passed that was exercised, 1 something failed, 5 events did not appear within 20 minutes.

Example: session-broker verify --cluster hub --tenant acme --reader-profile auditor
`,
  parse: parseVerify,
  run: runVerify,
};

function parseVerify(args: readonly string[]): VerifyInput {
  const values = parseOptions('verify', args, {
    ...ROLE_OPTIONS,
    config: { type: 'string' },
    'chain-to': { type: 'string', multiple: true, default: [] },
    bound: { type: 'boolean', default: false },
    'without-caller-policy': { type: 'boolean', default: false },
    'reader-profile': { type: 'string' },
    resume: { type: 'string' },
    output: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const { config, bound, resume, output, json } = values;
  const input: VerifyInput = {
    ...roleInput(values),
    config,
    chainTo: values['chain-to'],
    bound,
    withoutCallerPolicy: values['without-caller-policy'],
    readerProfile: values['reader-profile'],
    resume,
    output,
    json,
  };
  const tooMuch = surplusOf(input);
  if (tooMuch !== undefined) throw usage(tooMuch);
  return input;
}

/** What contradicts itself in a command line. */
function surplusOf(input: VerifyInput): string | undefined {
  const { resume, output: _, json: __, readerProfile, withoutCallerPolicy, chainTo, ...rest } = input;
  if (resume !== undefined && (withoutCallerPolicy || chainTo.length > 0 || Object.values(rest).some(Boolean))) {
    return '--resume goes with --reader-profile, --output and --json alone: the result says the rest';
  }
  if (withoutCallerPolicy && readerProfile !== undefined) {
    return '--without-caller-policy must stand without --reader-profile: it asks nothing of CloudTrail';
  }
  return undefined;
}

async function runVerify(input: VerifyInput, shell: Shell): Promise<number> {
  const { resume } = input;
  try {
    return await keepingAlive(resume === undefined ? begin(input, shell) : goOn(resume, input, shell));
  } catch (error) {
    throw unwrapLoop(error, shell.nestedMark);
  }
}

/** Both halves, or the first alone. */
async function begin(input: VerifyInput, shell: Shell): Promise<number> {
  refuseNested(shell.environment);
  refuseInsideSession(shell.environment);
  const { request, given } = requestOf(input, shell);
  const { stop: signal } = shell;
  const timing = createTiming(shell.time ?? {});
  const startedAt = new Date(timing.now());
  using hop = await saying(
    'waiting for AWS ...',
    openHop(request, { time: shell.time, warn: warner(shell), signal }),
    shell,
  );
  const { account } = hop.role;
  using reader =
    input.readerProfile === undefined
      ? undefined
      : await openReader({ account, region: hop.region, profile: input.readerProfile, signal });
  const file = fileOf(input, `verify-${hop.sourceIdentity}.json`, newResultFile);
  const exercised = await saying('waiting for STS ...', exercise(hop, given), shell).catch((error: unknown) => {
    file?.discard();
    throw error;
  });
  const result = createResult(hop, exercised, { version: packageVersion(), startedAt });
  return await finish(result, { reader, file, input, shell });
}

/** The second half of an earlier run. */
async function goOn(resume: string, input: VerifyInput, shell: Shell): Promise<number> {
  const result = parseResult(readResult(resume, shell), resume);
  const { account, region } = result;
  using reader = result.events.some(isPending)
    ? await openReader({ account, region, profile: input.readerProfile, signal: shell.stop })
    : undefined;
  const file = fileOf(input, resume, input.output === undefined ? resultFile : newResultFile);
  return await finish(result, { reader, file, input, shell });
}

interface Finish {
  /** Absent: CloudTrail is not read. */
  readonly reader: Reader | undefined;
  /** Absent: the result is printed alone. */
  readonly file: ResultFile | undefined;
  readonly input: VerifyInput;
  readonly shell: Shell;
}

/** Waits for the events, if somebody reads them, and prints what is known then, also when the wait is cut short. */
async function finish(result: Result, { reader, file, input, shell }: Finish): Promise<number> {
  let known = reader === undefined ? result : { ...result, reader: reader.arn };
  const keep = (): void => file?.write(formatResult(known, file.path));
  const print = (): void =>
    shell.write(input.json ? formatResult(known, file?.path) : renderResult(known, file?.path, shell.colour));
  const tell = (line: string): void => {
    if (!input.json || shell.isTerminal('stderr')) shell.note(line);
  };
  keep();
  if (reader !== undefined) {
    for (const line of failuresOf(known)) tell(line);
    try {
      const events = await watchEvents(known.events, {
        sourceIdentity: known.sourceIdentity,
        window: { start: new Date(known.window.start), end: new Date(known.window.end) },
        reader,
        timing: createTiming(shell.time ?? {}),
        signal: shell.stop,
        seen: (seen) => {
          known = { ...known, events: seen };
          keep();
        },
        tell,
      });
      known = { ...known, events };
      keep();
    } catch (error) {
      print();
      throw error;
    }
  }
  print();
  const verdict = verdictOf(known);
  return verdict === 'pending' && reader === undefined ? 0 : EXIT_CODES[verdict];
}

/** `pending`: events that were waited for did not appear. */
const EXIT_CODES = { passed: 0, failed: 1, pending: 5 } as const;

/** A result that is printed as data needs no file. */
function fileOf(
  { output, json }: VerifyInput,
  usual: string,
  open: (path: string) => ResultFile,
): ResultFile | undefined {
  return json && output === undefined ? undefined : open(output ?? usual);
}

/** @throws {SessionBrokerError} ResultInvalid for a file that is not there or cannot be read */
function readResult(path: string, { readFile }: Shell): string {
  let text: string | undefined;
  try {
    text = readFile(path);
  } catch {
    // said below
  }
  if (text !== undefined) return text;
  throw new SessionBrokerError(
    'ResultInvalid',
    `result must be a file that can be read: ${quote(path)} is not; give the one that session-broker verify wrote`,
  );
}
