import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { refusalOf } from '../support/refusal.ts';
import { ACCOUNT, cluster, faultsOf, parse, parseTenantKeys, TENANT_ROLE, tenant } from './fixtures.ts';

const HEAD = `clusters:
  hub:
    account: "111122223333"
    region: us-west-2
    tenants:
`;

/** What a fault says, without what follows from it. */
function brief(text: string) {
  return faultsOf(text).map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

describe('a configuration', () => {
  it('is read with every default', () => {
    const text = `${HEAD}      acme:\n        tenantRole: ${TENANT_ROLE}\n`;
    expect(parseConfig(text, 'some/tenants.yaml')).toEqual({
      file: 'some/tenants.yaml',
      clusters: [
        {
          name: 'hub',
          account: ACCOUNT,
          region: 'us-west-2',
          partition: 'aws',
          rollout: 'pilot',
          parameterPrefix: '/eks-agent-platform',
          iamPath: '/session-broker/',
          eksClusterName: 'hub',
          terminationProtection: false,
          tags: {},
          tenants: [
            {
              name: 'acme',
              optIn: 'never',
              tenantRole: TENANT_ROLE,
              models: [],
              inferenceProfiles: {},
              roleSessionName: 'free',
              chainTo: [],
              statements: [],
              managedPolicies: [],
              acknowledgeIdentityLoss: [],
              callerPolicy: 'attach',
              tags: {},
            },
          ],
        },
      ],
    });
  });

  it('is read with every key given', () => {
    const statements = [
      {
        Sid: 'Read',
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:List*'],
        Resource: ['arn:aws:s3:::acme', 'arn:aws:s3:::acme/*'],
        Condition: { StringEquals: { 'aws:ResourceAccount': ACCOUNT }, Bool: { 'aws:SecureTransport': ['true'] } },
      },
      { Effect: 'Deny', NotAction: 's3:*', NotResource: 'arn:aws:s3:::acme' },
    ];
    const keys = {
      attribution: true,
      tenantRole: TENANT_ROLE,
      models: ['amazon.nova-lite-v1:0', 'zai.glm-4.7'],
      inferenceProfiles: {
        'us.anthropic.claude-sonnet-4-5-20250929-v1:0': ['us-east-1', 'us-west-2'],
        'global.anthropic.claude-sonnet-4-5-20250929-v1:0': [],
      },
      roleSessionName: 'bound',
      chainTo: [`arn:aws:iam::${ACCOUNT}:role/reader`, 'arn:aws:iam::444455556666:role/reader'],
      statements,
      managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess', `arn:aws:iam::${ACCOUNT}:policy/agents/own`],
      acknowledgeIdentityLoss: [{ action: 'lambda:InvokeFunction', reason: 'It logs the session id of its caller.' }],
      eks: { kubernetesGroups: ['acme-agents'] },
      callerPolicy: 'external',
      tags: { tenant: 'acme' },
    };
    const { attribution: _, ...same } = keys;
    const boundary = `arn:aws:iam::${ACCOUNT}:policy/boundary`;
    const config = parse({
      hub: cluster(
        { acme: keys },
        {
          rollout: 'general',
          parameterPrefix: '/platform',
          iamPath: '/agents/',
          permissionsBoundary: boundary,
          eks: { clusterName: 'Hub_1' },
          terminationProtection: true,
          tags: { team: 'agents' },
        },
      ),
    });
    expect(config.clusters).toEqual([
      {
        name: 'hub',
        account: ACCOUNT,
        region: 'us-west-2',
        partition: 'aws',
        rollout: 'general',
        parameterPrefix: '/platform',
        iamPath: '/agents/',
        permissionsBoundary: boundary,
        eksClusterName: 'Hub_1',
        terminationProtection: true,
        tags: { team: 'agents' },
        tenants: [{ ...same, name: 'acme', optIn: 'in' }],
      },
    ]);
  });

  it.each([
    [true, 'in'],
    [false, 'out'],
  ])('reads attribution: %j as %s', (attribution, optIn) => {
    const config = parse({ hub: cluster({ acme: tenant({ attribution }) }) });
    expect(config.clusters[0]?.tenants[0]?.optIn).toBe(optIn);
  });

  it.each([
    ['aws', 'eu-central-1', 'eu'],
    ['aws-us-gov', 'us-gov-west-1', 'us-gov'],
    ['aws-cn', 'cn-north-1', 'cn'],
  ])('is read in the partition %s', (partition, region, geography) => {
    const config = parseTenantKeys(
      {
        tenantRole: `arn:${partition}:iam::${ACCOUNT}:role/acme`,
        chainTo: [`arn:${partition}:iam::${ACCOUNT}:role/reader`],
        inferenceProfiles: { [`${geography}.amazon.nova-lite-v1:0`]: [region] },
        managedPolicies: [`arn:${partition}:iam::aws:policy/ReadOnlyAccess`],
        statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:${partition}:s3:::acme/*` }],
      },
      { region, permissionsBoundary: `arn:${partition}:iam::${ACCOUNT}:policy/boundary` },
    );
    expect(config.clusters[0]?.partition).toBe(partition);
  });

  it('may have no cluster and no tenant', () => {
    expect(parse({}).clusters).toEqual([]);
    expect(parse({ hub: { account: ACCOUNT, region: 'us-west-2' } }).clusters[0]?.tenants).toEqual([]);
  });

  it('may share values by anchor and alias', () => {
    const text = `${HEAD}      acme: &acme
        tenantRole: ${TENANT_ROLE}
        chainTo: &chain [arn:aws:iam::${ACCOUNT}:role/reader]
      globex: *acme
      initech:
        tenantRole: ${TENANT_ROLE}
        chainTo: *chain
`;
    const tenants = parseConfig(text, 'tenants.yaml').clusters[0]?.tenants ?? [];
    expect(tenants.map(({ name, chainTo }) => [name, chainTo])).toEqual(
      ['acme', 'globex', 'initech'].map((name) => [name, [`arn:aws:iam::${ACCOUNT}:role/reader`]]),
    );
  });

  it('is that of the example', () => {
    const text = readFileSync(join(import.meta.dirname, '../../tenants.example.yaml'), 'utf8');
    const [hub, ...others] = parseConfig(text, 'tenants.example.yaml').clusters;
    expect(others).toEqual([]);
    expect(hub?.rollout).toBe('pilot');
    expect(hub?.tenants.map(({ name, optIn, chainTo }) => [name, optIn, chainTo.length])).toEqual([
      ['acme', 'in', 1],
      ['globex', 'never', 0],
    ]);
  });

  it('fails with a TypeError for a text that is none', () => {
    expect(() => parseConfig(undefined as unknown as string, 'tenants.yaml')).toThrow(TypeError);
  });
});

describe('the YAML of a configuration', () => {
  it.each([
    ['an empty file', '', '1:1 : file must hold a mapping with the key clusters; begin from tenants.example.yaml'],
    [
      'comments alone',
      '# to do\n',
      '1:1 : file must hold a mapping with the key clusters; begin from tenants.example.yaml',
    ],
    ['a text', 'hello', '1:1 : value must be a mapping; correct the indentation or the value'],
    ['a list', '- 1', '1:1 : value must be a mapping; correct the indentation or the value'],
    [
      'two documents',
      'clusters: {}\n---\nclusters: {}\n',
      '2:1 : file must be valid YAML: a second document; keep one, without "---" after it',
    ],
    [
      'a tab as indentation',
      'clusters:\n\thub: {}\n',
      '2:1 : file must be valid YAML: tabs are not allowed as indentation; indent with spaces',
    ],
    [
      'a tag',
      'clusters: !Ref {}\n',
      '1:11 : file must be valid YAML: unresolved tag: !Ref; remove the tag that begins with "!"',
    ],
    [
      'a value with ": "',
      'clusters: a: b\n',
      '1:11 : file must be valid YAML: nested mappings are not allowed in compact mappings; put a value that contains ": " in quotes, or begin a new line',
    ],
    [
      'a list of clusters',
      'clusters: [hub]\n',
      '1:11 clusters: clusters must be a mapping; correct the indentation or the value',
    ],
    [
      'YAML 1.1',
      '%YAML 1.1\n---\nclusters: {}\n',
      '1:1 : file must be YAML 1.2: "1.1"; remove the line that begins with %YAML',
    ],
    [
      'a key twice',
      'clusters:\n  hub: {account: "111122223333", region: us-west-2}\n  hub: {}\n',
      '3:3 clusters.hub: key must appear once in its mapping: "hub"; line 2 has it already, join the two or remove one',
    ],
    ['a number as key', 'clusters:\n  42: {}\n', '2:3 clusters: key must be a text: "42"; put it in quotes: "42"'],
    ['true as key', 'true: 1\nclusters: {}', '1:1 : key must be a text: "true"; put it in quotes: "true"'],
    ['a list as key', '? [a]\n: 1\nclusters: {}', '1:3 : key must be a text; write a plain text as key'],
    [
      'a merge key',
      'clusters: {}\n<<: {}\n',
      '2:1 ["<<"]: merge keys are not part of YAML 1.2: "<<"; write the keys out, or give a whole value an anchor and refer to it',
    ],
    [
      'an alias without its anchor',
      'clusters: *later\n',
      '1:11 clusters: alias must refer to an anchor that stands before it and is complete: "*later"; write the value out',
    ],
    [
      'a name that JavaScript takes for something else',
      'clusters:\n  constructor: {}\n',
      '2:3 clusters.constructor: key must not be __proto__, constructor, prototype, which programs take for something else: "constructor"; choose another name',
    ],
    [
      'a tag of YAML',
      'clusters: !!omap []\n',
      '1:11 : file must be valid YAML: unresolved tag: tag:yaml.org,2002:omap; remove the tag that begins with "!"',
    ],
  ])('fails for %s', (_name, text, expected) => {
    expect(brief(text)[0]).toBe(expected);
  });

  it('fails for an alias inside its own anchor', () => {
    expect(brief('clusters: &all\n  hub: *all\n')[0]).toBe(
      '2:8 clusters.hub: alias must refer to an anchor that stands before it and is complete: "*all"; write the value out',
    );
  });

  it('fails for aliases that multiply, without writing them out', () => {
    const levels = Array.from({ length: 30 }, (_, level) =>
      level === 0 ? 'l0: &l0 [a, a]' : `l${level}: &l${level} [*l${level - 1}, *l${level - 1}]`,
    );
    const [first] = brief(`${levels.join('\n')}\nclusters: *l29\n`).filter((line) => line.includes('aliases'));
    expect(first).toBe(
      '16:11 l15: file must hold at most 100000 values with its aliases written out; use fewer aliases',
    );
  });

  it('fails for a file that is too large by its aliases, and judges none of it', () => {
    const models = `&models [${Array.from({ length: 400 }, () => '5').join(', ')}]`;
    const tenants = Array.from({ length: 300 }, (_, index) => `      t${index}: { models: *models }\n`);
    expect(brief(`${HEAD}      acme: { models: ${models} }\n${tenants.join('')}`)).toEqual([
      '6:7 clusters.hub.tenants: file must hold at most 100000 values with its aliases written out; use fewer aliases',
    ]);
  });

  it('fails for nesting without end, at once', () => {
    for (const text of ['['.repeat(5000), '{a: '.repeat(5000), `clusters: ${'['.repeat(200)}${']'.repeat(200)}`]) {
      expect(faultsOf(text).length).toBeLessThanOrEqual(10);
    }
    const [, nested] = brief(`clusters: ${'['.repeat(60)}${']'.repeat(60)}`);
    expect(nested).toMatch(/^1:61 clusters(\[0\]){50}: file must have at most 50 levels; take out the nesting$/);
  });
});

describe('the shape of a configuration', () => {
  it.each([
    [
      'an account that YAML takes for a number',
      'account: 111122223333',
      '3:14 clusters.hub.account: account must be a text: "111122223333"; put it in quotes: "111122223333"',
    ],
    [
      'an account that begins with 0',
      'account: 012345678901',
      '3:14 clusters.hub.account: account must be a text: "012345678901"; put it in quotes: "012345678901"',
    ],
  ])('fails for %s', (_name, line, expected) => {
    expect(brief(`clusters:\n  hub:\n    ${line}\n    region: us-west-2\n`)).toEqual([expected]);
  });

  it.each([
    [
      'attributon: true',
      '7:9 clusters.hub.tenants.acme.attributon: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "attributon"; did you mean "attribution"?',
    ],
    [
      'chain_to: []',
      '7:9 clusters.hub.tenants.acme.chain_to: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "chain_to"; did you mean "chainTo"?',
    ],
    [
      'color: red',
      '7:9 clusters.hub.tenants.acme.color: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "color"; remove it',
    ],
    [
      'attribution: "true"',
      '7:22 clusters.hub.tenants.acme.attribution: attribution must be true or false: "true"; write true or false, without quotes',
    ],
    [
      'attribution: yes',
      '7:22 clusters.hub.tenants.acme.attribution: attribution must be true or false: "yes"; write true or false, without quotes',
    ],
    [
      'attribution:',
      '7:21 clusters.hub.tenants.acme.attribution: attribution must be true or false; give it a value, or remove the key',
    ],
    [
      'callerPolicy: Attach',
      '7:23 clusters.hub.tenants.acme.callerPolicy: callerPolicy must be "attach" or "external": "Attach"; did you mean "attach"?',
    ],
    [
      'roleSessionName: pinned',
      '7:26 clusters.hub.tenants.acme.roleSessionName: roleSessionName must be "free" or "bound": "pinned"; choose one',
    ],
    [
      'models: amazon.nova-lite-v1:0',
      '7:17 clusters.hub.tenants.acme.models: models must be a list: "amazon.nova-lite-v1:0"; write it as a list: ["amazon.nova-lite-v1:0"]',
    ],
    ['chainTo: [12]', '7:19 clusters.hub.tenants.acme.chainTo[0]: value must be a text: "12"; put it in quotes: "12"'],
    ['tags: {cost: 12}', '7:22 clusters.hub.tenants.acme.tags.cost: cost must be a text: "12"; put it in quotes: "12"'],
    [
      'statements: [{Effect: Allow, Action: s3:Get*, Resource: "*", Principal: "*"}]',
      '7:70 clusters.hub.tenants.acme.statements[0].Principal: key must be one of Sid, Effect, Action, NotAction, Resource, NotResource, Condition: "Principal"; remove it, the statement is about the session-broker role',
    ],
    [
      'toString: 1',
      '7:9 clusters.hub.tenants.acme.toString: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "toString"; remove it',
    ],
    [
      'valueOf: 1',
      '7:9 clusters.hub.tenants.acme.valueOf: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "valueOf"; remove it',
    ],
    [
      'hasOwnProperty: 1',
      '7:9 clusters.hub.tenants.acme.hasOwnProperty: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "hasOwnProperty"; remove it',
    ],
    [
      'Principal: 1',
      '7:9 clusters.hub.tenants.acme.Principal: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "Principal"; remove it',
    ],
    [
      'NotPrincipal: 1',
      '7:9 clusters.hub.tenants.acme.NotPrincipal: key must be one of attribution, tenantRole, models, inferenceProfiles, roleSessionName, chainTo, statements, managedPolicies, acknowledgeIdentityLoss, eks, callerPolicy, tags: "NotPrincipal"; remove it',
    ],
    ['models: [~]', '7:18 clusters.hub.tenants.acme.models[0]: value must be a text; give it a value, or remove it'],
    [
      'statements: [{Action: s3:Get*, Resource: "*"}]',
      '7:22 clusters.hub.tenants.acme.statements[0].Effect: Effect must be given; add it, Allow or Deny',
    ],
    [
      'statements: [{Effect: Allow, Action: s3:Get*, Resource: "*", Condition: {Bool: {"aws:SecureTransport": true}}}]',
      '7:112 clusters.hub.tenants.acme.statements[0].Condition.Bool["aws:SecureTransport"]: aws:SecureTransport must be a text or a list of texts: "true"; put it in quotes: "true"',
    ],
  ])('fails for %s', (line, expected) => {
    expect(brief(`${HEAD}      acme:\n        ${line}\n        tenantRole: ${TENANT_ROLE}\n`)).toEqual([expected]);
  });

  it('fails with the first hundred faults of many, and says how many more there are', () => {
    const lines = Array.from({ length: 2000 }, (_, index) => `        modelz${index}: 1\n`);
    const text = `${HEAD}      acme:\n        tenantRole: ${TENANT_ROLE}\n${lines.join('')}`;
    const { message, detail } = refusalOf(() => parseConfig(text, 'tenants.yaml'));
    const shown = message.split('\n');
    expect(shown).toHaveLength(102);
    expect(shown[0]).toBe('configuration has 2000 faults');
    expect(shown[100]).toMatch(/^tenants\.yaml:107:9 clusters\.hub\.tenants\.acme\.modelz99: /);
    expect(shown[101]).toBe('and 1900 more; correct these first');
    expect(detail['faults']).toHaveLength(100);
  });

  it('fails without a word of more where there are a hundred', () => {
    const keys = Array.from({ length: 100 }, (_, index) => `        x${index}: 1\n`).join('');
    const text = `${HEAD}      acme:\n        tenantRole: ${TENANT_ROLE}\n${keys}`;
    expect(faultsOf(text)).toHaveLength(100);
    expect(refusalOf(() => parseConfig(text, 'tenants.yaml')).message).not.toContain('more; correct');
  });

  it('fails for keys that are missing, at what they are missing from', () => {
    expect(brief('clusters:\n  hub:\n    tenants:\n      acme: {}\n')).toEqual([
      '2:3 clusters.hub.account: account must be given; add it, like account: "111122223333"',
      '2:3 clusters.hub.region: region must be given; add it, like region: us-west-2',
      "4:7 clusters.hub.tenants.acme.tenantRole: tenantRole must be given; add it, the ARN of the tenant's IRSA role",
    ]);
    expect(brief('{}')).toEqual(['1:1 clusters: clusters must be given; add it, with the clusters by name under it']);
  });

  it('fails with every fault at once, each with its place, and an error for all', () => {
    const text = `clusters:
  hub:
    account: "1111"
    region: us-wast-2
    rollot: general
    tenants:
      Acme:
        attribution: "true"
        tenantRole: arn:aws:iam::111122223333:root
        chainTo: [arn:aws:iam::111122223333:role/x*, 5]
        statements:
          - { Effect: Allow, Action: "iam:*", Resource: "*" }
          - { Effect: allow, Action: "*" }
`;
    const error = refusalOf(() => parseConfig(text, 'conf/tenants.yaml'));
    expect(error.code).toBe('ConfigInvalid');
    expect(error.message.split('\n')).toEqual([
      'configuration has 10 faults',
      'conf/tenants.yaml:3:14 clusters.hub.account: account must be twelve digits: "1111"; write it like "111122223333", in quotes',
      'conf/tenants.yaml:4:13 clusters.hub.region: region must be the name of a Region in the partitions aws, aws-us-gov or aws-cn: "us-wast-2"; write it like "us-west-2"',
      'conf/tenants.yaml:5:5 clusters.hub.rollot: key must be one of account, region, rollout, parameterPrefix, iamPath, permissionsBoundary, eks, terminationProtection, tags, tenants: "rollot"; did you mean "rollout"?',
      'conf/tenants.yaml:7:7 clusters.hub.tenants.Acme: tenant must be a lower-case DNS label (a-z, 0-9 and "-", beginning and ending with a letter or digit), at most 63 characters: "Acme"; correct it where it is set, it is never rewritten',
      'conf/tenants.yaml:8:22 clusters.hub.tenants.Acme.attribution: attribution must be true or false: "true"; write true or false, without quotes',
      'conf/tenants.yaml:9:21 clusters.hub.tenants.Acme.tenantRole: role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>: "arn:aws:iam::111122223333:root"; name the role, an account would admit everyone in it',
      'conf/tenants.yaml:10:19 clusters.hub.tenants.Acme.chainTo[0]: role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>: "arn:aws:iam::111122223333:role/x*"; name each role by itself, without a wildcard or a variable',
      'conf/tenants.yaml:10:54 clusters.hub.tenants.Acme.chainTo[1]: value must be a text: "5"; put it in quotes: "5"',
      'conf/tenants.yaml:12:38 clusters.hub.tenants.Acme.statements[0].Action: statement must not allow an action that covers actions of IAM that change who may do what: "iam:*"; write each action out',
      'conf/tenants.yaml:13:23 clusters.hub.tenants.Acme.statements[1].Effect: Effect must be "Allow" or "Deny": "allow"; did you mean "Allow"?',
    ]);
    expect((error.detail['faults'] as unknown[])[4]).toEqual({
      code: 'ConfigInvalid',
      file: 'conf/tenants.yaml',
      line: 8,
      column: 22,
      path: 'clusters.hub.tenants.Acme.attribution',
      given: 'true',
      rule: 'attribution must be true or false',
      fix: 'write true or false, without quotes',
      message: 'attribution must be true or false: "true"; write true or false, without quotes',
    });
    expect((error.detail['faults'] as unknown[])[5]).toEqual({
      code: 'RoleArnInvalid',
      file: 'conf/tenants.yaml',
      line: 9,
      column: 21,
      path: 'clusters.hub.tenants.Acme.tenantRole',
      given: 'arn:aws:iam::111122223333:root',
      rule: 'role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>',
      fix: 'name the role, an account would admit everyone in it',
      message:
        'role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>: "arn:aws:iam::111122223333:root"; name the role, an account would admit everyone in it',
    });
  });
});
