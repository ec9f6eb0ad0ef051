"""A dispatcher: starts an agent for each session id that it is given, each under a name of its own."""

import subprocess
import sys
from pathlib import Path

AGENT = Path(__file__).with_name("agent.py")


def start(session):
    # Cluster, tenant and Region are the environment's.
    broker = ["session-broker", "exec", "--session", session, "--"]
    return subprocess.Popen([*broker, sys.executable, str(AGENT)])


def wait(agent):
    # exec ends as the agent does. Killed by a signal, its code is negative: tell it as shells do.
    code = agent.wait()
    return code if code >= 0 else 128 - code


agents = [start(session) for session in sys.argv[1:]]
sys.exit(max([wait(agent) for agent in agents], default=0))
