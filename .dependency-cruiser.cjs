// Who may import whom (docs: ARCHITECTURE.md). A package is imported by its name, which resolves to
// packages/<name>/dist/index.js; the sources of one package never name a file of another.
const productionSource = '^packages/[^/]+/src/';
const testSource = '[.]test[.]ts$|/src/.*testing/';

/** @type {Record<string, readonly string[]>} */
const mayImport = {
  protocol: [],
  engine: ['protocol'],
  server: ['protocol', 'engine'],
  client: ['protocol'],
  cli: ['protocol', 'client', 'server', 'testing'],
  simulator: ['protocol', 'engine', 'client'],
  testing: ['protocol', 'engine', 'server', 'client', 'simulator'],
};

const directions = Object.entries(mayImport).map(([name, allowed]) => {
  const reachable = [name, ...allowed].join('|');
  return {
    name: `${name}-imports`,
    comment: `${name} may import ${allowed.join(', ') || 'no other package'}`,
    severity: 'error',
    from: { path: `^packages/${name}/src/` },
    to: { path: '^(packages|@meerkat)/', pathNot: `^(packages|@meerkat)/(${reachable})(/|$)` },
  };
});

module.exports = {
  forbidden: [
    ...directions,
    {
      name: 'packages-by-name',
      comment: 'Another package is imported by its name, through an index.ts that it exports',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/' },
      to: {
        path: '^packages/[^/]+/',
        pathNot: '^packages/$1/src/|^packages/[^/]+/dist/(recipes/)?index[.](js|d[.]ts)$',
      },
    },
    {
      name: 'no-node-modules-of-the-platform',
      comment: 'protocol and engine run anywhere: no module of Node',
      severity: 'error',
      from: { path: '^packages/(protocol|engine)/src/', pathNot: testSource },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-npm-dependency',
      comment: 'protocol, engine and client are written here, without a dependency',
      severity: 'error',
      from: { path: '^packages/(protocol|engine|client)/src/', pathNot: testSource },
      to: { path: 'node_modules/', pathNot: '^packages/|@meerkat/' },
    },
    {
      name: 'declared-dependencies',
      comment: "A package's production code imports only what its package.json lists",
      severity: 'error',
      from: { path: productionSource, pathNot: testSource },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-test-code-in-production',
      comment: 'What ships does not import tests or their support',
      severity: 'error',
      from: { path: productionSource, pathNot: testSource },
      to: { path: testSource },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      comment: 'Split the file, or move what both need below them',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    // TypeScript 7 offers no parser to JavaScript programs.
    parser: 'swc',
    includeOnly: {
      path: '^(packages/[^/]+/(src|dist|bin)|tests|bench|node_modules|@meerkat)/|^[a-z_:/]+$',
    },
    // What tests/runners needs is installed there, where it is.
    exclude: { path: '^tests/runners/|^(packages/[^/]+|tests)/dist/.*(?<!index[.]js)$' },
    doNotFollow: { path: 'node_modules|/dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
