import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import { type Block, blocksOf, type Inline, inlinesOf, rowsOf } from './markdown.ts'

/** Shows Markdown by elements alone, so that a text can bring no markup of its own. */
export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => blocksOf(text), [text])
  return <div class="markdown">{blocks.map(blockElement)}</div>
}

/** While a text grows, only its last paragraph or table is made anew. */
const Paragraph = ({ text }: { text: string }) => useMemo(() => <p>{inlineElements(text)}</p>, [text])

const Table = ({ text }: { text: string }) =>
  useMemo(() => {
    const [titles = [], ...rows] = rowsOf(text)
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls a wide table sideways
      <div class="table-wrap" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {titles.map((title, n) => (
                <th key={n} scope="col">
                  {inlineElements(title)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, n) => (
              <tr key={n}>
                {titles.map((_, column) => (
                  <td key={column}>{inlineElements(row[column] ?? '')}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )
  }, [text])

function blockElement(block: Block, key: number): ComponentChildren {
  switch (block.kind) {
    case 'paragraph':
      return <Paragraph key={key} text={block.text} />
    case 'heading': {
      // The headings of a message stand below those of the page.
      const Heading = `h${Math.min(6, block.level + 2)}` as 'h3'
      return <Heading key={key}>{inlineElements(block.text)}</Heading>
    }
    case 'code':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls wide code sideways
        <pre key={key} tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      )
    case 'quote':
      return <blockquote key={key}>{block.blocks.map(blockElement)}</blockquote>
    case 'rule':
      return <hr key={key} />
    case 'table':
      return <Table key={key} text={block.text} />
    case 'list': {
      const items = block.items.map((item, n) => <li key={n}>{item.map(blockElement)}</li>)
      return block.start === undefined ? (
        <ul key={key}>{items}</ul>
      ) : (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      )
    }
  }
}

const inlineElements = (text: string): ComponentChildren => inlinesOf(text).map(inlineElement)

function inlineElement(inline: Inline, key: number): ComponentChildren {
  switch (inline.kind) {
    case 'text':
      return inline.text
    case 'code':
      return <code key={key}>{inline.text}</code>
    case 'strong':
      return <strong key={key}>{inline.children.map(inlineElement)}</strong>
    case 'em':
      return <em key={key}>{inline.children.map(inlineElement)}</em>
    case 'del':
      return <del key={key}>{inline.children.map(inlineElement)}</del>
    case 'link':
      return (
        <a key={key} href={inline.to} target="_blank" rel="noreferrer nofollow">
          {inline.children.map(inlineElement)}
        </a>
      )
  }
}
