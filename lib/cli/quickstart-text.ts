import type { Demonstration, SeenCall } from './quickstart-demonstration.ts';
import { stylist } from './style.ts';

/** The demonstration in a screenful. */
export function renderDemonstration(shown: Demonstration, colour: boolean): string {
  const style = stylist(colour);
  const heading = (text: string): string => `\n${style('bold', text)}`;
  const row = (label: string, text: string): string => `  ${label.padEnd(14)}${text}`;
  const seen = ({ eventName, field, sourceIdentity }: SeenCall): string =>
    row('CloudTrail', `${eventName.padEnd(19)}${field} = ${style('green', sourceIdentity)}`);
  const { session, chain, refusals, notOptedIn } = shown;

  return [
    `${style('bold', 'session-broker')}  ${shown.config}, synthesized with aws-cdk-lib ${shown.cdkVersion}: ${shown.stacks.join(', ')}`,
    heading('A session gets its name'),
    row('dispatcher', session.dispatcherRole),
    row('assumes', session.sessionBrokerRole),
    row('as', style('green', session.sourceIdentity)),
    ...session.seen.map(seen),
    heading('It keeps that name down a role chain'),
    row('goes on to', chain.role),
    ...chain.seen.map(seen),
    heading('Every other name is refused'),
    ...refusals.flatMap(({ tried, sourceIdentity, code, reason }) => [
      `  ${style('red', '✗')} ${tried}${sourceIdentity === null ? '' : `: ${sourceIdentity}`}  ${style('red', code)}`,
      style('dim', `    ${shortened(reason)}`),
    ]),
    heading('A tenant that is not opted in has nothing'),
    row(notOptedIn.tenant, `no stack, no ${notOptedIn.absentParameter}; a session fails with ${notOptedIn.code}`),
    heading('Next, with a real account'),
    ...shown.next.map((command) => `  ${command}`),
    '',
  ].join('\n');
}

/** Which policy lacked what; the action and the resource stand in the rows above. */
function shortened(reason: string): string {
  return reason.replace(/^no statement of (.+?) allows \S+?(?: on \S+?)?: /, '$1: ');
}
