/** `arn:aws:sts::<account>:assumed-role/<role>/<session>`, from the role's ARN. */
export function sessionArn(roleArn: string, sessionName: string): string {
  return `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
}
