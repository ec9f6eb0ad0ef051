import { resolveIntrinsics } from './intrinsics.ts';

/** A CloudFormation template, as far as it is read here. */
export interface Template {
  readonly Transform?: unknown;
  readonly Resources?: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, TemplateOutput>>;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: unknown;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface TemplateOutput {
  readonly Value?: unknown;
  readonly Export?: { readonly Name?: unknown };
}

/** A template as it was written, and where it is deployed. */
export interface FinishedTemplate {
  /** Its stack's path in the app. */
  readonly path: string;
  readonly template: Template;
  /** Whether a macro would change the template once more, or a part of it. */
  readonly isTransformed: boolean;
  /** Undefined where the deployment decides. */
  readonly account: string | undefined;
  readonly region: string | undefined;
  readonly partition: string | undefined;
  /** Of a nested stack: the values of its parameters, and the template that gives them. */
  readonly parent?: { readonly template: FinishedTemplate; readonly parameters: unknown } | undefined;
}

/**
 * Puts the values in place of a template's intrinsic functions, where they are known before the deployment: pseudo
 * parameters, names and ARNs of the app's own roles and managed policies, and what is joined of these, also across
 * stacks. Any other stays as it is, as the object that it is, so that nobody takes it for a value.
 *
 * A role or policy without a name gets one that is like no other.
 */
export class TemplateValues {
  readonly #templates: readonly FinishedTemplate[];
  readonly #exports = new Map<string, { readonly from: FinishedTemplate; readonly value: unknown }>();

  constructor(templates: readonly FinishedTemplate[]) {
    this.#templates = templates;
    for (const from of templates) {
      for (const { Export, Value: value } of Object.values(from.template.Outputs ?? {})) {
        const name = Export && this.resolve(from, Export.Name);
        if (typeof name === 'string') this.#exports.set(exportKey(from, name), { from, value });
      }
    }
  }

  /** A value of a template, with all that is known in it. */
  resolve(template: FinishedTemplate, value: unknown): unknown {
    return resolveIntrinsics(value, {
      environment: template,
      ref: (name) => this.#ref(template, name),
      attribute: (logicalId, attribute) => this.#attribute(template, logicalId, attribute),
      imported: (name) => this.#imported(template, name),
      isDeploying: false,
    });
  }

  /** The ARN of a role or managed policy. */
  arn(template: FinishedTemplate, logicalId: string): string | undefined {
    const kind = kindOf(template.template.Resources?.[logicalId]);
    const { account, partition } = template;
    const name = this.name(template, logicalId);
    if (kind === undefined || name === undefined || account === undefined || partition === undefined) return undefined;
    const path = this.resolve(template, template.template.Resources?.[logicalId]?.Properties?.['Path'] ?? '/');
    return typeof path === 'string' ? `arn:${partition}:iam::${account}:${kind.resource}${path}${name}` : undefined;
  }

  /** The name of a role or managed policy; undefined where the deployment decides. */
  name(template: FinishedTemplate, logicalId: string): string | undefined {
    const resource = template.template.Resources?.[logicalId];
    const kind = kindOf(resource);
    if (kind === undefined) return undefined;
    const given = resource?.Properties?.[kind.nameProperty];
    if (given === undefined) return `unnamed.${this.#templates.indexOf(template)}.${logicalId}`;
    const name = this.resolve(template, given);
    return typeof name === 'string' ? name : undefined;
  }

  #ref(template: FinishedTemplate, name: string): string | undefined {
    const resource = template.template.Resources?.[name];
    if (resource !== undefined) {
      return kindOf(resource)?.isReferredToByArn ? this.arn(template, name) : this.name(template, name);
    }
    const { parent } = template;
    const given = (parent?.parameters as Readonly<Record<string, unknown>> | undefined)?.[name];
    return parent && this.#text(parent.template, given);
  }

  #attribute(template: FinishedTemplate, logicalId: string, attribute: string): string | undefined {
    const kind = kindOf(template.template.Resources?.[logicalId]);
    return attribute === kind?.arnAttribute ? this.arn(template, logicalId) : undefined;
  }

  #imported(template: FinishedTemplate, name: string): string | undefined {
    const exported = this.#exports.get(exportKey(template, name));
    return exported && this.#text(exported.from, exported.value);
  }

  #text(template: FinishedTemplate, value: unknown): string | undefined {
    const known = this.resolve(template, value);
    return typeof known === 'string' ? known : undefined;
  }
}

interface Kind {
  readonly resource: string;
  readonly nameProperty: string;
  readonly arnAttribute: string;
  readonly isReferredToByArn: boolean;
}

/** What is named and pointed at, by type. */
const KINDS: Readonly<Record<string, Kind>> = {
  'AWS::IAM::Role': { resource: 'role', nameProperty: 'RoleName', arnAttribute: 'Arn', isReferredToByArn: false },
  'AWS::IAM::ManagedPolicy': {
    resource: 'policy',
    nameProperty: 'ManagedPolicyName',
    arnAttribute: 'PolicyArn',
    isReferredToByArn: true,
  },
};

function kindOf(resource: TemplateResource | undefined): Kind | undefined {
  return resource && Object.hasOwn(KINDS, resource.Type) ? KINDS[resource.Type] : undefined;
}

/** Whether a JSON text has the function that calls a macro. Inside of a text in it, its quotes are escaped. */
export function hasTransform(json: string): boolean {
  return /"Fn::Transform"\s*:/.test(json);
}

/** Exports are unique in an account and Region. */
function exportKey({ account, region }: FinishedTemplate, name: string): string {
  return `${account}/${region}/${name}`;
}
