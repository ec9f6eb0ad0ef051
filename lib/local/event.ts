/**
 * An event as CloudTrail delivers it. It never holds a secret access key or a session token.
 * @see CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail userIdentity element"
 */
export interface CloudTrailEvent {
  readonly eventVersion: '1.11';
  readonly userIdentity: CloudTrailUserIdentity;
  /** ISO 8601, whole seconds. */
  readonly eventTime: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly awsRegion: string;
  readonly sourceIPAddress: string;
  readonly userAgent: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  /** `null` on a call that was denied. */
  readonly requestParameters: Readonly<Record<string, unknown>> | null;
  readonly responseElements: Readonly<Record<string, unknown>> | null;
  readonly additionalEventData?: Readonly<Record<string, unknown>>;
  readonly requestID: string;
  readonly eventID: string;
  readonly readOnly: boolean;
  readonly resources?: readonly EventResource[];
  readonly eventType: 'AwsApiCall';
  readonly managementEvent: true;
  readonly recipientAccountId: string;
  /** The same on both events of a call that is recorded in two accounts. */
  readonly sharedEventID?: string;
  readonly eventCategory: 'Management';
}

/** Who made the call. Which fields are present depends on `type`. */
export interface CloudTrailUserIdentity {
  readonly type: 'AssumedRole' | 'IAMUser' | 'WebIdentityUser' | 'AWSAccount' | 'Unknown';
  readonly principalId?: string;
  readonly arn?: string;
  readonly accountId?: string;
  readonly accessKeyId?: string;
  readonly userName?: string;
  readonly identityProvider?: string;
  readonly sessionContext?: {
    readonly sessionIssuer: {
      readonly type: 'Role';
      readonly principalId: string;
      readonly arn: string;
      readonly accountId: string;
      readonly userName: string;
    };
    readonly webIdFederationData?: {
      readonly federatedProvider: string;
      readonly attributes: Readonly<Record<string, string>>;
    };
    readonly attributes: { readonly creationDate: string; readonly mfaAuthenticated: 'false' };
    readonly sourceIdentity?: string;
  };
}

/** A resource as CloudTrail lists it. */
export interface EventResource {
  readonly accountId: string;
  readonly type: string;
  readonly ARN: string;
}
