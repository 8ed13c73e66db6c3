/** @type {import('jest').Config} */
export default {
  rootDir: '..',
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/e2e/**/*.e2e.ts'],
  globalSetup: '<rootDir>/e2e/global-setup.ts',
  globalTeardown: '<rootDir>/e2e/global-teardown.ts',
  // Against a test that hangs, not a measure.
  testTimeout: 300_000,
  // One control plane for all: the files follow one another, always in the same order.
  testSequencer: '<rootDir>/e2e/file-order.ts',
  setupFilesAfterEnv: ['<rootDir>/e2e/after-file.ts'],
  maxWorkers: 1,
};
