import { expect, test } from 'bun:test'
import { blocksOf, type Inline, inlinesOf, rowsOf } from '../../src/dashboard/app/pages/chat/markdown.ts'

const text = (text: string): Inline => ({ kind: 'text', text })

test('A line has code, strong and emphasised words, and links to pages', () => {
  expect(inlinesOf('a `b*c*` **d *e*** _f_ ~~g~~')).toEqual([
    text('a '),
    { kind: 'code', text: 'b*c*' },
    text(' '),
    { kind: 'strong', children: [text('d '), { kind: 'em', children: [text('e')] }] },
    text(' '),
    { kind: 'em', children: [text('f')] },
    text(' '),
    { kind: 'del', children: [text('g')] },
  ])
  expect(
    inlinesOf('[Roost](https://example.org/a_(b)) or https://example.org/x?y=1. 见https://例子.测试/，谢谢'),
  ).toEqual([
    { kind: 'link', to: 'https://example.org/a_(b)', children: [text('Roost')] },
    text(' or '),
    { kind: 'link', to: 'https://example.org/x?y=1', children: [text('https://example.org/x?y=1')] },
    text('. 见'),
    { kind: 'link', to: 'https://xn--fsqu00a.xn--0zwm56d/', children: [text('https://例子.测试/')] },
    text('，谢谢'),
  ])
})

test('A link that leads elsewhere than to a page stays text', () => {
  for (const to of [
    'javascript:alert(1)',
    'data:text/html,x',
    'JaVaScRiPt:alert(1)',
    '/tasks',
    '//example.org',
    '#x',
  ]) {
    expect(inlinesOf(`[x](${to})`)).toEqual([text(`[x](${to})`)])
  }
})

test('What is no mark stays as it is', () => {
  for (const words of [
    'snake_case_name and a_b',
    '2 * 3 * 4',
    '**not closed',
    '`not closed',
    '<b onclick=x>',
    'a ** b ** c',
  ]) {
    expect(inlinesOf(words)).toEqual([text(words)])
  }
  expect(inlinesOf('\\*no\\*')).toEqual([text('*no*')])
})

test('Blocks: headings, lists within lists, code, quotes and rules', () => {
  const source = [
    '## Plan',
    'one',
    'two',
    '- a',
    '  - b',
    '    more',
    '- c',
    '3. x',
    '4. y',
    '',
    '> q',
    '---',
    '```ts',
    '- no list',
    '```',
    'end',
  ].join('\n')
  const item = (text: string) => ({ kind: 'paragraph' as const, text })
  expect(blocksOf(source)).toEqual([
    { kind: 'heading', level: 2, text: 'Plan' },
    item('one\ntwo'),
    {
      kind: 'list',
      start: undefined,
      items: [[item('a'), { kind: 'list', start: undefined, items: [[item('b\nmore')]] }], [item('c')]],
    },
    { kind: 'list', start: 3, items: [[item('x')], [item('y')]] },
    { kind: 'quote', blocks: [item('q')] },
    { kind: 'rule' },
    { kind: 'code', text: '- no list' },
    item('end'),
  ])
})

test('A table ends a paragraph, and begins with its titles and a line of dashes', () => {
  const table = '| Task | State |\n|:--|--:|\n| a \\| b | **done** |\n| only one'
  expect(blocksOf(`Your tasks:\n${table}\n\nNo | table`)).toEqual([
    { kind: 'paragraph', text: 'Your tasks:' },
    { kind: 'table', text: table },
    { kind: 'paragraph', text: 'No | table' },
  ])
  expect(rowsOf(table)).toEqual([['Task', 'State'], ['a | b', '**done**'], ['only one']])
})

test('Code without an end goes to the end of the text, while the rest is on its way', () => {
  expect(blocksOf('a\n```\nb\n\nc')).toEqual([
    { kind: 'paragraph', text: 'a' },
    { kind: 'code', text: 'b\n\nc' },
  ])
})

test('Every text is read to its end, however it is made', () => {
  const pieces = [
    '*',
    '**',
    '`',
    '```',
    '\n',
    '- ',
    '1. ',
    '> ',
    '# ',
    '[',
    '](',
    'https://a.b',
    ')',
    ' ',
    'Q',
    '_',
    '\\',
    '  ',
    '|',
    '\n|-|-|\n',
  ]
  let seed = 1
  const random = () => (seed = (seed * 48_271) % 2_147_483_647)
  for (let n = 0; n < 2000; n++) {
    const source = Array.from({ length: 1 + (random() % 30) }, () => pieces[random() % pieces.length]).join(
      '',
    )
    const kept = JSON.stringify(blocksOf(source)).split('Q').length
    // Nothing is lost but a word after the fence, which names a language.
    if (!source.includes('`')) expect([source, kept]).toEqual([source, source.split('Q').length])
    for (const line of source.split('\n')) inlinesOf(line)
  }
})
