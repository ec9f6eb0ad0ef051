"""An agent. It knows nothing of session-broker: boto3 finds its credentials, and renews them."""

import boto3

print(boto3.client("sts").get_caller_identity()["Arn"])
