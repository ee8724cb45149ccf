/**
 * Whether the client prefers an answer with this content coding to a plain one (RFC 9110, 12.5.3). Without the field it has
 * not said so.
 */
export function acceptsCoding(request: Request, coding: 'gzip' | 'br'): boolean {
  const qualities = new Map<string, number>()
  for (const part of (request.headers.get('accept-encoding') ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = parameters.map((parameter) => /^q\s*=\s*([\d.]+)$/.exec(parameter)?.[1]).find(Boolean)
    const quality = Number(weight ?? 1)
    if (name && !qualities.has(name)) qualities.set(name, Number.isNaN(quality) ? 0 : quality)
  }
  const others = qualities.get('*') ?? 0
  const wanted = qualities.get(coding) ?? (coding === 'gzip' ? qualities.get('x-gzip') : undefined) ?? others
  // A plain answer that the client does not name is acceptable, and less than any other that it names.
  const plain = qualities.get('identity') ?? 0
  return wanted > 0 && wanted >= plain
}
