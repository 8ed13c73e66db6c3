import e2e from '../jest.config.js';

/** @type {import('jest').Config} */
export default {
  ...e2e,
  rootDir: '../..',
  testMatch: ['<rootDir>/e2e/node/*.node.ts'],
};
