/** Shows the server's highlights: HTML in which `<mark>` is the only element. No HTML of the server is ever put into the page. */

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" }
const decoded = (text: string): string =>
  text.replaceAll(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)

export const Highlight = ({ html }: { html: string }) => (
  <>
    {html.split(/<mark>(.*?)<\/mark>/s).map((part, index) =>
      // Every second part stood between the marks.
      index % 2 === 1 ? <mark key={index}>{decoded(part)}</mark> : decoded(part),
    )}
  </>
)
