export default {
  test: {
    include: ['*.vitest.ts'],
    testTimeout: 60_000,
    poolOptions: {
      forks: { execArgv: ['--import', 'tsx'] },
      threads: { execArgv: ['--import', 'tsx'] },
    },
  },
};
