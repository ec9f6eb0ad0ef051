"""Makes the calls that its argument lists, as JSON, and prints what each came to."""

import json
import sys

import boto3
from botocore.exceptions import ClientError


def made(call):
    client = boto3.client(call["service"])
    try:
        answer = getattr(client, call["operation"])(**call.get("parameters", {}))
    except ClientError as refusal:
        error = refusal.response["Error"]
        status = refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"error": {"code": error["Code"], "message": error["Message"], "status": status}}
    answer.pop("ResponseMetadata")
    return {"answer": answer}


print(json.dumps([made(call) for call in json.loads(sys.argv[1])], default=str))
