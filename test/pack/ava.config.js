// For scripts/test-pack.js and scripts/test-arm64.js, which make what these suites look at.
export default {
  files: ['build/test/pack/*.test.js'],
  workerThreads: false,
  timeout: '5m',
};
