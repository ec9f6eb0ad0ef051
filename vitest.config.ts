import { defineConfig } from 'vitest/config';

const PACKED = 'test/packed-install.test.ts';
const EMULATORS = 'test/emulators/**/*.test.ts';

export default defineConfig({
  test: {
    // CDK's template validator costs seconds a process; the test of it switches it on. The SDK's warning is about
    // its own later versions. Commands that tests start leave no compiled code behind.
    env: {
      CDK_VALIDATION: 'false',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      NODE_DISABLE_COMPILE_CACHE: '1',
    },
    testTimeout: 30_000,
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        // Test files share what they load, the CDK above all, and leave nothing behind for each other.
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [PACKED, EMULATORS], isolate: false },
      },
      { extends: true, test: { name: 'packed', include: [PACKED] } },
      { extends: true, test: { name: 'emulators', include: [EMULATORS] } },
    ],
  },
});
