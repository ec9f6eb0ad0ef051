"""Makes the calls that its argument lists, as JSON, and prints what each came to."""

import functools
import json
import sys

import boto3
from botocore.exceptions import ClientError, WaiterError

client_of = functools.cache(boto3.client)


def made(call):
    client = client_of(call["service"])
    parameters = call.get("parameters", {})
    try:
        if "waiter" in call:
            client.get_waiter(call["waiter"]).wait(**parameters, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})
            return {}
        answer = getattr(client, call["operation"])(**parameters)
    except WaiterError as failure:
        return {"error": {"code": "WaiterError", "message": str(failure), "status": 0}}
    except ClientError as refusal:
        error = refusal.response["Error"]
        status = refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        return {"error": {"code": error["Code"], "message": error["Message"], "status": status}}
    answer.pop("ResponseMetadata")
    return {"answer": answer}


print(json.dumps([made(call) for call in json.loads(sys.argv[1])], default=str))
