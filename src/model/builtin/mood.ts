/** The beginning of a sentence or clause. A verb here is an order. */
export const CLAUSE = String.raw`(?<=(?:^|[,.;:!]\s*|(?:\b(?:please|to|and|then|just|now|also|you|not|never|(?:do|can|could|should|may) (?:i|we))|n['’]t)\s+))`

// “识别” and “能不能” contain a negation but do not negate, and neither does “don't forget”.
const NEGATED = new RegExp(
  [
    /(?<![分特级类性识个区差告辨])别(?![人的名忘])/,
    /(?<![能可要想用该会是])不(?:要(?!忘)|用|必|想|需要|应|能|可以|再|是|许|准|打算)|[先暂]不|没(?!问题|错)(?<!有没)|勿|禁止/,
    /\b(?:not|never|cannot|dont|no longer|no need|[a-z]+n['’]t)\b(?! (?:to )?forget)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
)
const HOW = new RegExp(
  String.raw`怎么(?!样)|怎样|如何|能不能|可不可以|可否|能否|(?:能|可以).*(?:吗|\?)|\bhow (?:do|can|could|would|should|to)\b|${CLAUSE}(?:can|could|would|will|may|should) (?:you|i|we)\b`,
  'i',
)
const ASKED = new RegExp(
  String.raw`[?吗谁]|什么|为何|哪|怎么样|几[个点时]|多少|多久|是否|有没有|是不是|要不要|[呢么]。?$|查看|看看|看一下|显示|列出|\b(?:what|which|when|why|who|where|how)\b|${CLAUSE}(?:did|do|does|is|are|was|were|has|have|show|list|see|view|display)\b(?! not)`,
  'i',
)

/** Whether a message is an order (`told`), a negated one, a question (`asked`), or a question whether or how (`how`). */
export function moodOf(request: string): 'told' | 'negated' | 'how' | 'asked' {
  const words = request.replace(/https?:\/\/\S+/gi, ' ')
  if (HOW.test(words)) return 'how'
  if (ASKED.test(words)) return 'asked'
  return NEGATED.test(words) ? 'negated' : 'told'
}
