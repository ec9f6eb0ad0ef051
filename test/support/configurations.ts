/** A configuration with every option at once: a tenant that has all of them, a plain one and one that is opted out. */
export const EVERYTHING = `
clusters:
  hub:
    account: "111122223333"
    region: us-west-2
    rollout: general
    parameterPrefix: /agents
    iamPath: /agents/
    permissionsBoundary: arn:aws:iam::111122223333:policy/edge
    eks: { clusterName: Hub }
    terminationProtection: true
    tags: { team: platform }
    tenants:
      acme:
        attribution: true
        tenantRole: arn:aws:iam::111122223333:role/tenants/hub-acme-tenant
        models: [amazon.nova-lite-v1:0]
        inferenceProfiles:
          us.anthropic.claude-sonnet-4-5-20250929-v1:0: [us-east-1, us-west-2]
          global.anthropic.claude-sonnet-4-5-20250929-v1:0: []
        roleSessionName: bound
        chainTo: ["arn:aws:iam::111122223333:role/deployer"]
        statements: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::docs/readme" }]
        managedPolicies: ["arn:aws:iam::111122223333:policy/docs"]
        acknowledgeIdentityLoss: [{ action: "lambda:InvokeFunction", reason: The function logs its caller. }]
        eks: { kubernetesGroups: [agents] }
        callerPolicy: external
        tags: { team: acme }
      globex:
        attribution: true
        tenantRole: arn:aws:iam::111122223333:role/tenants/hub-globex-tenant
      initech:
        attribution: false
        tenantRole: arn:aws:iam::111122223333:role/tenants/hub-initech-tenant
`;
