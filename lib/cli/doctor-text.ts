import type { Report, TenantReport } from '../doctor/examine.ts';
import type { Finding, Severity } from '../doctor/findings.ts';
import { printable } from '../errors.ts';
import { stylist } from './style.ts';

type Style = ReturnType<typeof stylist>;

const COLOURS = { error: 'red', warning: 'yellow', note: 'cyan' } as const satisfies Record<Severity, string>;
const SEVERITIES = Object.keys(COLOURS) as readonly Severity[];

/** A report for people: a line for each tenant, then the findings with their fixes, then what was not checked. */
export function renderReport(report: Report, colour: boolean): string {
  const style = stylist(colour);
  const { findings, notChecked, checks, tenants } = report;
  const shown = new Set<string>();
  const width = Math.max(0, ...tenants.map((tenant) => nameOf(tenant).length));
  const blocks = [
    tenants.map((tenant) => tenantLine(tenant, report, width, style)).join('\n'),
    ...SEVERITIES.flatMap((severity) => {
      const found = findings.filter((finding) => finding.severity === severity);
      if (found.length === 0) return [];
      return [
        style(['bold', COLOURS[severity]], counted(found.length, severity)),
        ...groupsOf(found).map((group) => block(group, shown, style)),
      ];
    }),
    notCheckedBlock(report, style),
    verdictOf(findings, notChecked.length, checks, tenants.length),
  ];
  return `${blocks.filter((text) => text !== '').join('\n\n')}\n`;
}

function tenantLine(tenant: TenantReport, { findings, notChecked }: Report, width: number, style: Style): string {
  const isAbout = (other: { readonly cluster?: string | undefined; readonly tenant?: string | undefined }): boolean =>
    other.cluster === tenant.cluster && other.tenant === tenant.tenant;
  const counts = SEVERITIES.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity && isAbout(finding)).length;
    return count === 0 ? [] : [style(COLOURS[severity], counted(count, severity))];
  });
  const missing = notChecked.filter(isAbout).length;
  const isFine = !findings.some((finding) => finding.severity !== 'note' && isAbout(finding));
  const said = [
    ...(isFine && missing === 0 ? [style('green', tenant.optIn === 'in' ? 'ok' : 'ok, not deployed')] : []),
    ...counts,
    ...(missing === 0 ? [] : [`${missing} not checked`]),
  ];
  return `${nameOf(tenant).padEnd(width)}  ${said.join(', ')}`;
}

function nameOf({ cluster, tenant }: TenantReport): string {
  return `${cluster}/${tenant}`;
}

/** Notes of one kind together, which many tenants have in common; and each other finding by itself. */
function groupsOf(findings: readonly Finding[]): readonly (readonly Finding[])[] {
  const groups = new Map<unknown, Finding[]>();
  for (const finding of findings) {
    const key = finding.severity === 'note' ? finding.code : finding;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()];
}

/** @param shown the commands of the findings before, to which this one's are added */
function block([first, ...others]: readonly Finding[], shown: Set<string>, style: Style): string {
  if (first === undefined) return '';
  const { code, severity, evidence, fix } = first;
  const about = aboutOf(first);
  const { configuration, statements, commands } = fix;
  // Where there are commands, they have the statements in them.
  const byHand = commands.length > 0 ? [] : statements;
  return [
    `${style(COLOURS[severity], code)}${about === '' ? '' : `  ${about}`}`,
    `  ${printable(evidence)}`,
    `  ${style('bold', 'fix:')} ${printable(fix.summary)}`,
    ...(configuration === undefined
      ? []
      : [`    in the configuration: ${configuration.path}: ${printable(JSON.stringify(configuration.value))}`]),
    ...byHand.map(
      ({ policy, inPlaceOf, statement }) =>
        `    in ${printable(policy)}, ${inPlaceOf === undefined ? 'add' : `in place of ${printable(inPlaceOf)}`}: ${printable(JSON.stringify(statement))}`,
    ),
    ...commandLines(commands, configuration === undefined ? shown : new Set()),
    ...(others.length === 0 ? [] : [`  the same goes for ${others.map(aboutOf).join(', ')}`]),
  ].join('\n');
}

function aboutOf({ cluster, tenant }: Pick<Finding, 'cluster' | 'tenant'>): string {
  return [cluster, tenant].filter((name) => name !== undefined).join('/');
}

/** Policies that many tenants share are saved by one command. */
function commandLines(commands: readonly string[], shown: Set<string>): readonly string[] {
  const areShown = commands.length > 0 && commands.every((command) => shown.has(command));
  for (const command of commands) shown.add(command);
  return areShown
    ? ['    (by the command above that does the same)']
    : commands.map((command) => `    ${printable(command)}`);
}

/** What was not checked, by what was missing for it. */
function notCheckedBlock({ notChecked }: Report, style: Style): string {
  if (notChecked.length === 0) return '';
  const byReason = new Map<string, string[]>();
  for (const { check, missing, ...place } of notChecked) {
    const about = aboutOf(place);
    const checks = byReason.get(missing) ?? [];
    byReason.set(missing, checks);
    checks.push(about === '' ? check : `${about}: ${check}`);
  }
  return [
    style('bold', 'not checked'),
    ...[...byReason].map(
      ([missing, checks]) => `  ${printable(missing)}\n${checks.map((check) => `    ${check}`).join('\n')}`,
    ),
  ].join('\n');
}

function verdictOf(findings: readonly Finding[], missing: number, checks: number, tenants: number): string {
  const scope = `${plural(checks, 'check')} ran on ${plural(tenants, 'tenant')}${missing === 0 ? '' : `, ${missing} could not run`}`;
  const found = SEVERITIES.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [counted(count, severity)];
  });
  if (found.length > 0) return `${scope}: ${found.join(', ')}`;
  return missing === 0 ? `${scope}: nothing found, all is as configured` : `${scope}: nothing found`;
}

function counted(count: number, severity: Severity): string {
  return plural(count, severity);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
