/** Actions by which the identity of a session is lost, and why it is. */
export interface IdentityLoss {
  /** As AWS writes them, in order. */
  readonly actions: readonly string[];
  /** Under what the work goes on; a clause without a full stop. */
  readonly reason: string;
}

/**
 * What starts work, or reaches into work, that goes on under another identity than the session's: code, commands or
 * calls that somebody can choose, under a role that was attached before, or under credentials or a trust that the
 * session makes itself. AWS carries a source identity down a role chain; a service that takes up a role of its own
 * begins a session without it, and CloudTrail does not show the identity on whose behalf a service acts.
 *
 * Not in the list, since a grant of it loses nothing by itself:
 * - what needs a role as a parameter, such as `lambda:CreateFunction`: `iam:PassRole`, without which it fails, stands
 *   for all of these;
 * - `sts:AssumeRoleWithWebIdentity` and `sts:AssumeRoleWithSAML`, which are not signed, so that no policy of the caller
 *   is asked; and `sts:GetFederationToken` and `sts:GetSessionToken`, which AWS refuses to a role's credentials;
 * - data and messages (`s3:PutObject`, `sqs:SendMessage`, `events:PutEvents`): whether they start anything is what
 *   somebody else attached to them;
 * - services that do one fixed thing under their role, such as a backup, and inference.
 * @see IAM User Guide, "Monitor and control actions taken with assumed roles" and "Roles terms and concepts", service
 *   role
 */
export const IDENTITY_LOSSES: readonly IdentityLoss[] = [
  {
    actions: [
      'lambda:CreateEventSourceMapping',
      'lambda:CreateMicrovmAuthToken',
      'lambda:CreateMicrovmShellAuthToken',
      'lambda:InvokeAsync',
      'lambda:InvokeFunction',
      'lambda:InvokeFunctionUrl',
      'lambda:ResumeMicrovm',
      'lambda:RunMicrovm',
      'lambda:UpdateEventSourceMapping',
      'lambda:UpdateFunctionCode',
      'lambda:UpdateFunctionConfiguration',
    ],
    reason: 'a function or MicroVM runs under its execution role',
  },
  {
    actions: [
      'states:RedriveExecution',
      'states:StartExecution',
      'states:StartSyncExecution',
      'states:UpdateStateMachine',
    ],
    reason: 'a state machine runs under a role of its own',
  },
  {
    actions: ['bedrock:InvokeAgent', 'bedrock:InvokeFlow', 'bedrock:InvokeInlineAgent', 'bedrock:StartFlowExecution'],
    reason: 'an agent or flow runs under its service role, and the functions that it calls under theirs',
  },
  {
    actions: [
      'bedrock-agentcore:InvokeAgentRuntime',
      'bedrock-agentcore:InvokeAgentRuntimeCommand',
      'bedrock-agentcore:InvokeAgentRuntimeCommandShell',
      'bedrock-agentcore:InvokeAgentRuntimeForUser',
      'bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStream',
      'bedrock-agentcore:InvokeAgentRuntimeWithWebSocketStreamForUser',
      'bedrock-agentcore:InvokeCodeInterpreter',
      'bedrock-agentcore:InvokeGateway',
      'bedrock-agentcore:InvokeHarness',
      'bedrock-agentcore:StartBrowserSession',
      'bedrock-agentcore:StartCodeInterpreterSession',
    ],
    reason: 'a runtime, gateway or tool runs under its execution role',
  },
  {
    actions: [
      'autoscaling:CreateAutoScalingGroup',
      'autoscaling:LaunchInstances',
      'autoscaling:SetDesiredCapacity',
      'autoscaling:StartInstanceRefresh',
      'autoscaling:UpdateAutoScalingGroup',
      'ec2:CreateFleet',
      'ec2:ModifyInstanceAttribute',
      'ec2:RequestSpotInstances',
      'ec2:RunInstances',
      'ec2:StartInstances',
    ],
    reason:
      'an instance has credentials of its own, by its instance profile or by the default host management of Systems Manager',
  },
  {
    actions: [
      'ec2-instance-connect:SendSerialConsoleSSHPublicKey',
      'ec2-instance-connect:SendSSHPublicKey',
      'ssm-guiconnect:StartConnection',
      'ssm:CreateAssociation',
      'ssm:CreateAssociationBatch',
      'ssm:RegisterTaskWithMaintenanceWindow',
      'ssm:ResumeSession',
      'ssm:SendCommand',
      'ssm:StartAssociationsOnce',
      'ssm:StartSession',
      'ssm:UpdateAssociation',
      'ssm:UpdateMaintenanceWindowTask',
    ],
    reason: 'what runs on a machine has the credentials of that machine',
  },
  {
    actions: ['config:StartRemediationExecution', 'ssm:StartAutomationExecution', 'ssm:StartChangeRequestExecution'],
    reason: 'an automation may run under a role of its own',
  },
  {
    actions: [
      'ecs:CreateService',
      'ecs:CreateTaskSet',
      'ecs:ExecuteCommand',
      'ecs:RunTask',
      'ecs:StartTask',
      'ecs:UpdateExpressGatewayService',
      'ecs:UpdateService',
    ],
    reason: 'a task runs under its task role, or under the role of its container instance',
  },
  {
    actions: ['eks:AssociateAccessPolicy', 'eks:CreateAccessEntry', 'eks:UpdateAccessEntry'],
    reason: 'a pod, once somebody may start it, runs under the role of its service account',
  },
  { actions: ['batch:SubmitJob'], reason: 'a job runs under the role of its job definition' },
  {
    actions: ['apprunner:StartDeployment', 'apprunner:UpdateService'],
    reason: 'a service runs under its instance role',
  },
  {
    actions: [
      'elasticbeanstalk:CreateEnvironment',
      'elasticbeanstalk:RebuildEnvironment',
      'elasticbeanstalk:UpdateEnvironment',
    ],
    reason: 'an environment runs under its instance profile',
  },
  {
    actions: [
      'codebuild:RetryBuild',
      'codebuild:RetryBuildBatch',
      'codebuild:StartBuild',
      'codebuild:StartBuildBatch',
      'codebuild:StartCommandExecution',
      'codebuild:StartSandbox',
      'codebuild:StartSandboxConnection',
      'codebuild:UpdateProject',
    ],
    reason: 'a build runs under the service role of its project',
  },
  {
    actions: ['codepipeline:RetryStageExecution', 'codepipeline:RollbackStage', 'codepipeline:StartPipelineExecution'],
    reason: 'a pipeline runs under its service role',
  },
  {
    actions: ['codedeploy:CreateDeployment'],
    reason: 'a deployment runs its hooks on machines and functions, under their roles',
  },
  { actions: ['amplify:StartJob'], reason: 'a build runs under the service role of its app' },
  {
    actions: ['imagebuilder:CreateImage', 'imagebuilder:RetryImage', 'imagebuilder:StartImagePipelineExecution'],
    reason: 'an image is built under the instance profile of its infrastructure configuration',
  },
  {
    actions: [
      'cloudformation:ContinueUpdateRollback',
      'cloudformation:CreateStack',
      'cloudformation:CreateStackInstances',
      'cloudformation:DeleteStack',
      'cloudformation:ExecuteChangeSet',
      'cloudformation:ExecuteStackRefactor',
      'cloudformation:RollbackStack',
      'cloudformation:UpdateStack',
      'cloudformation:UpdateStackInstances',
      'cloudformation:UpdateStackSet',
    ],
    reason: 'CloudFormation acts on behalf of its caller, and under the service role of a stack that has one',
  },
  {
    actions: [
      'servicecatalog:ExecuteProvisionedProductPlan',
      'servicecatalog:ExecuteProvisionedProductServiceAction',
      'servicecatalog:ProvisionProduct',
      'servicecatalog:TerminateProvisionedProduct',
      'servicecatalog:UpdateProvisionedProduct',
    ],
    reason: 'a product is provisioned under the role of its launch constraint',
  },
  { actions: ['fis:StartExperiment'], reason: 'an experiment runs under the role of its template' },
  {
    actions: ['synthetics:StartCanary', 'synthetics:StartCanaryDryRun', 'synthetics:UpdateCanary'],
    reason: 'a canary runs under its execution role',
  },
  {
    actions: ['events:EnableRule', 'events:PutRule', 'events:PutTargets'],
    reason: 'EventBridge starts the targets of a rule by itself',
  },
  { actions: ['pipes:StartPipe'], reason: 'a pipe runs under its execution role' },
  {
    actions: [
      'glue:CreateTrigger',
      'glue:ResumeWorkflowRun',
      'glue:RunStatement',
      'glue:StartCrawler',
      'glue:StartCrawlerSchedule',
      'glue:StartJobRun',
      'glue:StartTrigger',
      'glue:StartWorkflowRun',
      'glue:UpdateDevEndpoint',
      'glue:UpdateTrigger',
    ],
    reason: 'a job, crawler or session runs under a role of its own',
  },
  {
    actions: ['databrew:StartJobRun', 'databrew:StartProjectSession'],
    reason: 'a job or project runs under a role of its own',
  },
  {
    actions: [
      'elasticmapreduce:AddJobFlowSteps',
      'elasticmapreduce:StartEditor',
      'elasticmapreduce:StartSession',
      'emr-containers:StartJobRun',
    ],
    reason: 'a job runs under the role of its cluster or under a runtime role',
  },
  {
    actions: ['athena:StartCalculationExecution', 'athena:StartSession'],
    reason: 'a Spark session runs under the execution role of its workgroup',
  },
  {
    actions: ['kinesisanalytics:StartApplication', 'kinesisanalytics:UpdateApplication'],
    reason: 'an application runs under its service execution role',
  },
  {
    actions: [
      'sagemaker:CreatePresignedDomainUrl',
      'sagemaker:CreatePresignedNotebookInstanceUrl',
      'sagemaker:CreateTransformJob',
      'sagemaker:RetryPipelineExecution',
      'sagemaker:StartNotebookInstance',
      'sagemaker:StartPipelineExecution',
      'sagemaker:StartSession',
      'sagemaker:UpdateNotebookInstanceLifecycleConfig',
      'sagemaker:UpdatePipeline',
    ],
    reason: 'a notebook, pipeline or job runs under its execution role',
  },
  {
    actions: [
      'airflow-serverless:StartWorkflowRun',
      'airflow:CreateCliToken',
      'airflow:CreateWebLoginToken',
      'airflow:InvokeRestApi',
    ],
    reason: 'a workflow runs under an execution role',
  },
  { actions: ['datapipeline:ActivatePipeline'], reason: 'a pipeline runs under roles of its own' },
  { actions: ['deadline:CreateJob'], reason: 'a job runs under the role of its queue' },
  {
    actions: ['greengrass:CreateDeployment'],
    reason: 'a component has the credentials of the token exchange role of its device',
  },
  { actions: ['iam:PassRole'], reason: 'a service that is passed a role acts under that role' },
  {
    actions: [
      'iam:CreateAccessKey',
      'iam:CreateLoginProfile',
      'iam:CreateServiceSpecificCredential',
      'iam:ResetServiceSpecificCredential',
      'iam:UpdateLoginProfile',
      'iam:UploadSigningCertificate',
      'iam:UploadSSHPublicKey',
    ],
    reason: 'credentials of a user have no source identity',
  },
  {
    actions: ['iam:CreateRole', 'iam:UpdateAssumeRolePolicy', 'iam:UpdateSAMLProvider'],
    reason: 'a trust that a session writes itself need not require an identity',
  },
  {
    actions: ['cognito-identity:GetOpenIdTokenForDeveloperIdentity'],
    reason:
      'its token becomes credentials by sts:AssumeRoleWithWebIdentity, which takes over nothing of the session that asks',
  },
];
