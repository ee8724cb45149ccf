/** The page of both sockets, made of their AsyncAPI document. */
import { escapeHTML } from 'bun'
import type { AsyncApiDocument, Channel, Message, Operation } from './document.ts'
import { fieldsOf } from './fields.ts'

/** The files that the page loads, from the folder of `docs.ts`. */
export const SOCKETS_ASSETS = ['./asyncapi/assets/live.css', './asyncapi/assets/live.js']

/** Markup that needs no escape any more. */
class Html {
  constructor(readonly text: string) {}
}

/** Escapes every value but markup; lists are joined. */
const html = (parts: TemplateStringsArray, ...values: unknown[]): Html =>
  new Html(parts.reduce((text, part, n) => text + render(values[n - 1]) + part))

const render = (value: unknown): string =>
  value instanceof Html
    ? value.text
    : Array.isArray(value)
      ? value.map(render).join('')
      : value === undefined
        ? ''
        : escapeHTML(String(value))

interface Group {
  id: string
  title: string
  description: string
  messages: { message: Message; replies: string[] }[]
}

/** @param base the folder of the page's files */
export function socketsPage(document: AsyncApiDocument, base: string): string {
  const channels = Object.entries(document.channels)
  const { title, description } = document.info
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${base}/live.css">
<script src="${base}/live.js" defer></script>
<a class="skip" href="#content">Skip to the frames</a>
<header>
<h1>${title}</h1>
<p>${description} The same <a href="${base}/live/json">as AsyncAPI 3.1</a>, for programs. The <a href="${base}">HTTP APIs</a> have a page of their own.</p>
<nav aria-label="Frames"><ul>${channels.map(([name, channel]) => contents(name, channel, groupsOf(document, name)))}</ul></nav>
</header>
<div class="filter" role="search"><label for="filter">Filter</label><input id="filter" type="search" autocomplete="off"><span id="count" role="status"></span></div>
<main id="content">${channels.map(([name, channel]) => socket(document, name, channel))}</main>
</html>
`
  return page.text
}

const typeIn = (ref: { $ref: string }) => ref.$ref.slice(ref.$ref.lastIndexOf('/') + 1)

/** What clients send comes first, then each operation of the server. */
function groupsOf(document: AsyncApiDocument, name: string): Group[] {
  const { messages } = document.channels[name as keyof AsyncApiDocument['channels']]
  const own = Object.entries(document.operations).filter(([, { channel }]) => typeIn(channel) === name)
  const of = (operation: Operation) =>
    operation.messages.map((ref) => ({
      message: messages[typeIn(ref)]!,
      replies: (operation.reply?.messages ?? []).map(typeIn),
    }))
  const received = own.filter(([, { action }]) => action === 'receive').map(([, operation]) => operation)
  return [
    {
      id: `${name}-received`,
      title: name === 'node' ? 'Frames of a node' : 'Frames of a client',
      description: 'What the server receives.',
      messages: received.flatMap(of),
    },
    ...own
      .filter(([, { action }]) => action === 'send')
      .map(([id, operation]) => ({
        id,
        title: operation.title,
        description: operation.summary,
        messages: of(operation),
      })),
  ]
}

const contents = (name: string, channel: Channel, groups: Group[]) => html`
<li><a href="#${name}">${channel.title}</a><ul>${groups.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}${
  channel['x-topics'] && html`<li><a href="#${name}-topics">Topics</a></li>`
}<li><a href="#${name}-close">Close codes</a></li></ul></li>`

const socket = (document: AsyncApiDocument, name: string, channel: Channel) => html`
<section><h2 id="${name}">${channel.title} <code>${channel.address}</code></h2>
<p>${channel.description}</p>
${query(channel)}
${groupsOf(document, name).map((group) => section(document, name, group))}
${channel['x-topics'] && topics(name, channel['x-topics'])}
<h3 id="${name}-close">Close codes</h3>
${table(
  ['Code', 'Meaning'],
  channel['x-close-codes'].map(({ code, description }) => [html`<code>${code}</code>`, description]),
)}
</section>`

const query = ({ bindings }: Channel) => {
  const fields = Object.entries(
    (bindings.ws.query?.properties ?? {}) as Record<string, { description: string }>,
  )
  if (fields.length === 0) return undefined
  const rows = fields.map(([name, { description }]) => [html`<code>${name}</code>`, description])
  return html`<h3>In the address</h3>${table(['Parameter', 'Meaning'], rows)}`
}

const topics = (name: string, all: NonNullable<Channel['x-topics']>) => html`
<h3 id="${name}-topics">Topics</h3><p>What a client can subscribe to, and the frames that follow.</p>${table(
  ['Topic', 'Frames', 'What it is'],
  all.map((topic) => [
    html`<code>${topic.name}</code>`,
    links(name, topic.messages.map(typeIn)),
    topic.description,
  ]),
)}`

const section = (
  document: AsyncApiDocument,
  name: string,
  { id, title, description, messages }: Group,
) => html`
<section data-group><h3 id="${id}">${title}</h3><p>${description}</p>${messages.map((one) => article(document, name, one))}</section>`

function article(
  document: AsyncApiDocument,
  name: string,
  { message, replies }: Group['messages'][number],
): Html {
  const fields = fieldsOf(message.payload, document.components.schemas)
  const rows = fields.map((field) => [
    html`<code>${field.name}</code>`,
    html`<code>${field.type}</code>`,
    field.required ? 'yes' : 'no',
    field.description,
  ])
  const [example] = message.examples ?? []
  return html`
<article id="${name}-${message.name}"><h4><a href="#${name}-${message.name}"><code>${message.name}</code></a></h4>
<p>${message.summary}</p>
${replies.length > 0 ? html`<p class="muted">Answers: ${links(name, replies)}</p>` : undefined}
${rows.length > 0 ? table(['Field', 'Type', 'Required', 'Meaning'], rows) : undefined}
${example && html`<details><summary>Example</summary><pre tabindex="0">${JSON.stringify(example.payload, null, 2)}</pre></details>`}
</article>`
}

const links = (name: string, types: string[]) =>
  types.map((type, n) => html`${n > 0 ? ', ' : ''}<a href="#${name}-${type}"><code>${type}</code></a>`)

/** The first cell of each row is its heading. */
const table = (heads: string[], rows: unknown[][]) => html`
<div class="table"><table><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(([first, ...cells]) => html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`
