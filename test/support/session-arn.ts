/** `arn:aws:sts::<account>:assumed-role/<role>/<session>`, from the role's ARN, whose path it has not. */
export function sessionArn(roleArn: string, sessionName: string): string {
  const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return `${roleArn.replace(':iam:', ':sts:').replace(/:role\/.*$/, `:assumed-role/${name}`)}/${sessionName}`;
}
