import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../local/fixture.ts';

const LIB = fileURLToPath(new URL('../../.venv/lib/', import.meta.url));
const FILE = 'site-packages/libfaketime/vendor/libfaketime/src/libfaketime.so.1';

const library = (existsSync(LIB) ? readdirSync(LIB) : []).map((python) => join(LIB, python, FILE)).find(existsSync);

/** Whether the clock of whole processes can be moved here. Where the emulators are required, it must be. */
export const hasMovableClock: boolean = library !== undefined && moves(library);

if (!hasMovableClock) {
  const how = 'libfaketime is not installed or does not work here; run npm run emulators:install, on Linux';
  if (process.env['REQUIRE_EMULATORS'] === '1') throw new Error(`REQUIRE_EMULATORS is set and ${how}`);
  console.warn(`SKIPPED: renewals by real clients: ${how}`);
}

/** Tries the library on this Node, by an hour that is long gone. */
function moves(preloaded: string): boolean {
  const env = { LD_PRELOAD: preloaded, FAKETIME: '@2000-01-01 00:00:00', TZ: 'UTC' };
  const { stdout } = spawnSync(process.execPath, ['-p', 'new Date().getFullYear()'], { env, encoding: 'utf8' });
  return stdout === '2000\n';
}

/** A clock that this process and others share, and that a test moves for all of them at once. */
export class MovableClock {
  readonly #file = join(temporaryFolder(), 'offset');
  #minutes = 0;

  /** What makes a process go by this clock, with every process that it starts. */
  readonly environment: Readonly<Record<string, string>>;

  constructor() {
    this.environment =
      library === undefined || !hasMovableClock
        ? {}
        : {
            LD_PRELOAD: library,
            FAKETIME_TIMESTAMP_FILE: this.#file,
            FAKETIME_NO_CACHE: '1',
            // Waits and files keep their own time.
            FAKETIME_DONT_FAKE_MONOTONIC: '1',
            NO_FAKE_STAT: '1',
          };
    this.advanceTo(0);
  }

  readonly read = (): Date => new Date(Date.now() + this.#minutes * 60_000);

  /** @param minutes from the start */
  advanceTo(minutes: number): void {
    this.#minutes = minutes;
    // Another process never reads half of it.
    const draft = `${this.#file}.draft`;
    writeFileSync(draft, `+${minutes}m`);
    renameSync(draft, this.#file);
  }
}
