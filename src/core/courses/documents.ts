/** A document has no duration of its own: a learner studies each of its pages for this long, at speed 1. */
export const SECONDS_PER_PAGE = 60
