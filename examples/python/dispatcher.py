"""A dispatcher: starts an agent for each session id that it is given, each under a name of its own."""

import subprocess
import sys
from pathlib import Path

AGENT = Path(__file__).with_name("agent.py")


def start(session):
    # Cluster, tenant and Region are the environment's.
    broker = ["session-broker", "exec", "--session", session, "--"]
    return subprocess.Popen([*broker, sys.executable, str(AGENT)])


agents = [start(session) for session in sys.argv[1:]]
sys.exit(max([agent.wait() for agent in agents], default=0))
