"""Runs MiniStack on a free port of loopback until its input ends, with the corrections that its arguments name.

It prints one line: JSON with its endpoint and the corrections that there are.
"""

import asyncio
import json
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"

# MiniStack reads these when it is imported. It judges every call by the policies of its caller, as AWS does, but for
# the access key "test"; and it opens no other port and starts no container.
os.environ.update(
    GATEWAY_PORT=str(listener.getsockname()[1]),
    AUTH="true",
    IOT_MTLS_ENABLED="0",
    SFTP_ENABLED="0",
    DOCKER_HOST="unix:///dev/null",
    LOG_LEVEL="CRITICAL",
)

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack_corrections import CORRECTIONS

for behaviour in CORRECTIONS if sys.argv[1:] == ["all"] else sys.argv[1:]:
    CORRECTIONS[behaviour]()

config = Config()
config.bind = [f"fd://{listener.fileno()}"]
config.loglevel = "CRITICAL"


async def over_tls(scope, receive, send):
    """The CDK's bucket refuses calls that are not made over TLS. On loopback they count as if they were."""
    await app({**scope, "scheme": "https"} if scope["type"] == "http" else scope, receive, send)


async def input_ended():
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, lambda: sys.stdin.buffer.read1() or ended.set())
    await ended.wait()


# Connections wait in the listener until MiniStack takes them.
print(json.dumps({"endpoint": endpoint, "corrections": list(CORRECTIONS)}), flush=True)
asyncio.run(serve(over_tls, config, shutdown_trigger=input_ended))
