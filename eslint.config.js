import { existsSync } from 'node:fs';
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// The layers of lib/, lowest first: a layer imports from itself and from those before it.
const layers = ['common', 'store', 'serialization', 'transport', 'runtime', 'api'];

const addonLoader = {
  name: 'node-gyp-build',
  message: 'Only lib/store/binding.ts loads the addon.',
};

const layerRules = layers.map((layer, index) => ({
  files: [`lib/${layer}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: [addonLoader],
        patterns: [
          {
            group: [
              '../index.js',
              ...layers.slice(index + 1).flatMap((above) => [`../${above}/*`, `../**/${above}/*`]),
            ],
            message: `Imports go downwards: ${layers.join(' <- ')} <- index.`,
          },
        ],
      },
    ],
  },
}));

// Their tools want a default export.
const configurations = ['eslint.config.js', 'test/pack/ava.config.js'];
// Rules need the types of its libraries, which npm run test:ecosystem installs.
const uninstalled = existsSync('examples/ecosystem/node_modules') ? [] : ['examples/ecosystem/'];

export default defineConfig(
  { ignores: ['build/', 'dist/', 'test/runners/', ...uninstalled] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: configurations } },
    },
    rules: {
      eqeqeq: 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' },
      ],
      'object-shorthand': 'error',
      'prefer-template': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // With noUncheckedIndexedAccess, `!` is how a known index is written.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // What user code has thrown is passed on as it is.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  layerRules,
  {
    files: ['lib/store/binding.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['scripts/**/*.js', ...configurations],
    languageOptions: { globals: { console: 'readonly' } },
  },
  {
    files: configurations,
    // Their projects have no types of Node.
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/no-unsafe-call': 'off' },
  },
);
