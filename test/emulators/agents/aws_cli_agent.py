"""An agent with the AWS CLI, its options as arguments: answers each line of standard input, by a process each."""

import subprocess
import sys

commands = {
    "caller": lambda _: ["sts", "get-caller-identity", "--query", "Arn"],
    "parameter": lambda name: ["ssm", "get-parameter", "--name", name, "--query", "Parameter.Value"],
}

for line in sys.stdin:
    question, _, argument = line.strip().partition(" ")
    command = ["aws", *sys.argv[1:], *commands[question](argument), "--output", "text"]
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print((finished.stdout or finished.stderr).strip(), flush=True)
