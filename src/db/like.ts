/** A part of a pattern of `like` that stands for the text itself. */
export const likeLiteral = (text: string): string => text.replace(/[\\%_]/g, '\\$&')
