#!/bin/sh
# Runs Claude Code on Amazon Bedrock as one agent session: claude.sh SESSION [arguments of claude]
set -eu
session=$1
shift

export CLAUDE_CODE_USE_BEDROCK=1
export ANTHROPIC_MODEL=us.anthropic.claude-sonnet-4-5-20250929-v1:0
export ANTHROPIC_DEFAULT_HAIKU_MODEL=$ANTHROPIC_MODEL

# Cluster, tenant and Region are the environment's; exec passes AWS_REGION on, which Claude Code requires.
exec session-broker exec --session "$session" -- claude "$@"
