"""An agent with boto3: answers each line of standard input with one of standard output, by one client per service."""

import sys

import boto3

session = boto3.Session(profile_name=sys.argv[1]) if sys.argv[1:] else boto3.Session()
sts = session.client("sts")
ssm = session.client("ssm")

answers = {
    "caller": lambda _: sts.get_caller_identity()["Arn"],
    "parameter": lambda name: ssm.get_parameter(Name=name)["Parameter"]["Value"],
}

for line in sys.stdin:
    question, _, argument = line.strip().partition(" ")
    try:
        print(answers[question](argument), flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
