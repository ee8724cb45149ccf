/** The filter of the page: shows the frames whose text has every word of the field. */
const field = document.querySelector('#filter')
const count = document.querySelector('#count')
const articles = [...document.querySelectorAll('article')].map((element) => ({
  element,
  text: element.textContent.toLowerCase(),
}))
const groups = [...document.querySelectorAll('section[data-group]')]

field.addEventListener('input', () => {
  const words = field.value.toLowerCase().split(/\s+/)
  let shown = 0
  for (const { element, text } of articles) {
    element.hidden = !words.every((word) => text.includes(word))
    if (!element.hidden) shown++
  }
  for (const group of groups) group.hidden = !group.querySelector('article:not([hidden])')
  count.textContent = `${shown} of ${articles.length}`
})
// A reader who follows a link sees its frame, also one that the filter hides.
window.addEventListener('hashchange', () => {
  const target = document.getElementById(location.hash.slice(1))
  if (!target?.closest('[hidden]')) return
  field.value = ''
  field.dispatchEvent(new Event('input'))
  target.scrollIntoView()
})
