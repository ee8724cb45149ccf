/** Rules that a source file of `src` keeps, each as a function that a test can check with cases of its own. */
import ts from 'typescript-5'

const parse = (text: string) => ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true)

const SNAKE_CASE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/

/** The names in snake_case that a source gives to properties or reads of them: names of the wire or of columns. */
export function wireNames(text: string): string[] {
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    const name = propertyName(node)
    if (name && SNAKE_CASE.test(name)) found.add(name)
    ts.forEachChild(node, visit)
  }
  visit(parse(text))
  return [...found]
}

function propertyName(node: ts.Node): string | undefined {
  const name =
    ts.isPropertyAssignment(node) ||
    ts.isPropertySignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isShorthandPropertyAssignment(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isMethodSignature(node) ||
    ts.isPropertyAccessExpression(node)
      ? node.name
      : ts.isBindingElement(node)
        ? (node.propertyName ?? node.name)
        : undefined
  return name && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? name.text : undefined
}

const COLLECTIONS = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'LRUCache', 'Array'])

/**
 * The variables of a module that can change: a `let`, and a collection that begins empty. Two servers in one process
 * would share them.
 */
export function moduleState(text: string): string[] {
  return parse(text).statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement)) return []
    const { declarations, flags } = statement.declarationList
    const isConst = (flags & ts.NodeFlags.Const) !== 0
    return declarations
      .filter(({ initializer }) => !isConst || (initializer && isEmptyCollection(initializer)))
      .map(({ name }) => name.getText())
  })
}

function isEmptyCollection(value: ts.Expression): boolean {
  if (ts.isArrayLiteralExpression(value)) return value.elements.length === 0
  if (ts.isObjectLiteralExpression(value)) return value.properties.length === 0
  if (!ts.isNewExpression(value) || !ts.isIdentifier(value.expression)) return false
  const { text } = value.expression
  return COLLECTIONS.has(text) && (text === 'LRUCache' || (value.arguments?.length ?? 0) === 0)
}
