import { defineConfig } from 'vitest/config';

// Two projects: `unit` is quick enough for `npm run check`; `story` walks the whole system, a browser included.
const STORY = 'test/story/**/*.test.ts';
const TESTS = 'test/**/*.test.ts';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: [TESTS], exclude: [STORY], testTimeout: 30_000, hookTimeout: 30_000 } },
      { test: { name: 'story', include: [STORY], testTimeout: 180_000, hookTimeout: 60_000 } },
    ],
    allowOnly: !process.env['CI'],
  },
});
