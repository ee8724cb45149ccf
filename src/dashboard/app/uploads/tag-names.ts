/** Names with commas between them, as people type them in both languages. */
export const tagNames = (text: string): string[] =>
  text
    .split(/[,，、]/)
    .map((name) => name.trim())
    .filter(Boolean)
