/** As little XML as S3 needs. */
const escaped = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
const unescaped = (text: string) =>
  text.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) =>
    code
      ? String.fromCharCode(code)
      : ({ quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" }[name as string] ?? ''),
  )
/** An element, unless there is nothing in it. */
export const tag = (name: string, content: string | number | boolean | undefined) =>
  content === undefined
    ? ''
    : `<${name}>${typeof content === 'string' ? escaped(content) : content}</${name}>`
export const xml = (root: string, content: string, status = 200) =>
  new Response(`<?xml version="1.0" encoding="UTF-8"?><${root}>${content}</${root}>`, {
    status,
    headers: { 'content-type': 'application/xml' },
  })
export const values = (text: string, name: string) =>
  [...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, value]) => unescaped(value!))
