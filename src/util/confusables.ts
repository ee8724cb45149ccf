import prototypes from 'unhomoglyph/data.json'

const PROTOTYPES = new Map(Object.entries(prototypes))

/**
 * The appearance of a text, by Unicode's table of confusable characters (UTS 39, 4, "skeleton"): people cannot tell two
 * texts of the same skeleton apart.
 */
export function skeletonOf(text: string): string {
  let look = ''
  for (const character of text.normalize('NFD')) look += PROTOTYPES.get(character) ?? character
  return look.normalize('NFD')
}
