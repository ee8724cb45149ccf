/** A pattern for a number in digits or in Chinese words, as in dates. */
export const NUMBER = '(\\d{1,4}|[零〇一二两三四五六七八九十]{1,3})'

/** Reads Chinese words up to 99. */
export function numberOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  const digit = (char: string) => '零一二三四五六七八九'.indexOf(char.replace('两', '二').replace('〇', '零'))
  const [tens, ones] = text.split('十')
  if (ones === undefined) return [...text].reduce((sum, char) => sum * 10 + digit(char), 0)
  return (tens ? digit(tens) : 1) * 10 + (ones ? digit(ones) : 0)
}
