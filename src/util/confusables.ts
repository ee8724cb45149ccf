import prototypes from 'unhomoglyph/data.json'

const PROTOTYPES = new Map(Object.entries(prototypes))

/**
 * What a text looks like, by Unicode's table of characters that are taken for one another (UTS 39, 4, "skeleton"): two
 * texts of the same skeleton can't be told apart by eye.
 */
export function skeletonOf(text: string): string {
  let look = ''
  for (const character of text.normalize('NFD')) look += PROTOTYPES.get(character) ?? character
  return look.normalize('NFD')
}
