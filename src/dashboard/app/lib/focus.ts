/** Moves the focus to the title of the page, where a screen reader begins to read. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>('#content h1')?.focus({ preventScroll: true })
}
