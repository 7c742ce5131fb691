import { defineConfig } from 'vitest/config';

// Three projects, by what a test needs: `unit` nothing, and it is quick enough for `npm run check`; `engine` the
// embedded database, the simulator or synthesized stacks; `story` walks the whole system, a browser included.
const UNIT = ['test/*.test.ts', 'test/{domain,flow,contracts,doubles,pages,runtime}/**/*.test.ts'];
const STORY = ['test/story/**/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: UNIT, testTimeout: 60_000 } },
      {
        test: {
          name: 'engine',
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT, ...STORY],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'story', include: STORY, testTimeout: 240_000, hookTimeout: 60_000 } },
    ],
    allowOnly: !process.env['CI'],
  },
});
