// esbuild declares the top level of a bundle with `var`. V8 compiles what cannot change, such as a table, a
// class or a column's number, into the code that uses it; of a `var` it has to ask each time.
import { parse } from 'acorn';

/** @typedef {import('acorn').AnyNode} AnyNode */

/**
 * Makes `const` of every top-level `var` that is given its value where it is declared and never another.
 * Lines stay where they are, so that a source map still leads to the right ones.
 *
 * @param {string} code an ES module
 * @returns {string}
 */
export function keepConstants(code) {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  const { assigned, declarations } = namesIn(program);
  let kept = code;
  // From the end, so that the places before stay right.
  for (const node of program.body.toReversed()) {
    if (node.type !== 'VariableDeclaration' || node.kind !== 'var') continue;
    const isConstant = node.declarations.every(
      ({ id, init }) =>
        init !== null &&
        init !== undefined &&
        id.type === 'Identifier' &&
        !assigned.has(id.name) &&
        declarations.get(id.name) === 1,
    );
    if (!isConstant) continue;
    kept = `${kept.slice(0, node.start)}const${kept.slice(node.start + 'var'.length)}`;
  }
  return kept;
}

/**
 * Names that something assigns to, and how often each is declared, in whatever scope: a name that several
 * scopes use is taken for one, to be safe.
 * @param {AnyNode} program
 */
function namesIn(program) {
  /** @type {Set<string>} */
  const assigned = new Set();
  /** @type {Map<string, number>} */
  const declarations = new Map();
  visit(program, (node) => {
    const target = targetOf(node);
    if (target !== null) noteNames(target, assigned);
    if (node.type !== 'VariableDeclaration' || node.kind !== 'var') return;
    for (const { id } of node.declarations) {
      if (id.type === 'Identifier') declarations.set(id.name, (declarations.get(id.name) ?? 0) + 1);
    }
  });
  return { assigned, declarations };
}

/**
 * What a node assigns to, a declaration apart.
 * @param {AnyNode} node
 * @returns {AnyNode | null}
 */
function targetOf(node) {
  if (node.type === 'AssignmentExpression') return node.left;
  if (node.type === 'UpdateExpression') return node.argument;
  if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') return node.left;
  return null;
}

/**
 * Notes the variables that a target names: what is only looked into is not assigned to.
 * @param {AnyNode} target
 * @param {Set<string>} names
 */
function noteNames(target, names) {
  if (target.type === 'MemberExpression') return;
  visit(target, (inner) => {
    if (inner.type === 'Identifier') names.add(inner.name);
  });
}

/**
 * Calls `use` with a node and all that is in it.
 * @param {AnyNode} node
 * @param {(node: AnyNode) => void} use
 */
function visit(node, use) {
  use(node);
  /** @type {unknown[]} */
  const values = Object.values(node);
  for (const value of values.flat()) if (isNode(value)) visit(value, use);
}

/**
 * @param {unknown} value
 * @returns {value is AnyNode}
 */
function isNode(value) {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  );
}
