#!/usr/bin/env bash
# Compiles the package into dist/. The command becomes a few CommonJS files: as ES modules it would take longer to
# start, and tools start it whenever they need credentials.
set -euo pipefail
cd "$(dirname "$0")/.."

rm -rf dist
tsc -p tsconfig.build.json
rm -r dist/lib/cli dist/bin/session-broker.*
tsx scripts/write-bundle.ts
# npx remembers, for a folder, the file in which it found the command at first.
printf '%s\n' '#!/usr/bin/env node' "import './session-broker.cjs';" > dist/bin/session-broker.js
chmod 755 dist/bin/session-broker.cjs dist/bin/session-broker.js
