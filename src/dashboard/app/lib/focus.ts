/** Keeps the focus where a keyboard and a screen reader can go on. */

/** Moves the focus to the title of the page, where a screen reader begins to read. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>('#content h1')?.focus({ preventScroll: true })
}

/** What has the focus may go: the button that starts a task when the task runs, a row that is deleted. */
export function rescueFocus(): void {
  let last: EventTarget | null = null
  document.addEventListener('focusin', ({ target }) => {
    last = target
  })
  new MutationObserver(() => {
    if (!(last instanceof HTMLElement) || last.isConnected) return
    last = null
    if (document.activeElement === document.body) focusHeading()
  }).observe(document.body, { childList: true, subtree: true })
}
