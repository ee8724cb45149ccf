/** A PDF with one coloured page for each list of lines, of which the first is its heading. Lines are ASCII. */
export function makePdf(pages: string[][]): string {
  const kids = pages.map((_, n) => `${4 + 2 * n} 0 R`).join(' ')
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    `<</Type/Pages/Kids[${kids}]/Count ${pages.length}>>`,
    '<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>',
    ...pages.flatMap((lines, n) => {
      const content = contentOf(lines, n)
      return [
        `<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents ${5 + 2 * n} 0 R>>`,
        `<</Length ${content.length}>>stream\n${content}\nendstream`,
      ]
    }),
  ]
  let file = '%PDF-1.4\n'
  const offsets = objects.map((object, n) => {
    const offset = file.length
    file += `${n + 1} 0 obj${object}endobj\n`
    return String(offset).padStart(10, '0')
  })
  const table = offsets.map((offset) => `${offset} 00000 n \n`).join('')
  const size = objects.length + 1
  const trailer = `trailer<</Size ${size}/Root 1 0 R>>\nstartxref\n${file.length}\n%%EOF`
  return `${file}xref\n0 ${size}\n0000000000 65535 f \n${table}${trailer}`
}

const COLOURS = ['0.16 0.35 0.60', '0.20 0.50 0.42', '0.60 0.30 0.24', '0.42 0.31 0.58']

function contentOf([heading = '', ...lines]: string[], page: number): string {
  const text = (size: number, y: number, words: string) =>
    `BT /F ${size} Tf 60 ${y} Td (${words.replace(/[\\()]/g, '\\$&')}) Tj ET`
  return [
    `${COLOURS[page % COLOURS.length]} rg 0 600 595 242 re f`,
    '1 1 1 rg',
    text(38, 690, heading),
    '0.2 0.2 0.2 rg',
    ...lines.map((line, n) => text(20, 540 - 34 * n, line)),
    text(11, 40, `${page + 1}`),
  ].join('\n')
}
